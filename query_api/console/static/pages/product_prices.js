/** The prices of a product over time: a step for each change, a line for each variant in one currency. */

import {html, nothing} from "../vendor/lit-html.js";
import {ApiProblem, read} from "../api.js";
import {LineChart} from "../charts.js";
import {moment, money} from "../format.js";
import {empty, refusal, waiting} from "../parts.js";
import {go, place, to} from "../places.js";

const PAGES_MAX = 5;
const LINES_MAX = 8;

export class Prices {
  /** @param {{product: any, signal: AbortSignal, update: () => void}} context */
  constructor({product, signal, update}) {
    Object.assign(this, {product, signal, update});
    /** @type {any[]} newest first */
    this.points = [];
    /** @type {unknown} */
    this.problem = null;
    this.isAsked = false;
    this.isWhole = true;
    this.currency = "";
    this.chart = new LineChart({label: "Prices over time", format: value => value.toFixed(2), isStepped: true});
    this.ask();
  }

  close() {
    this.chart.close();
  }

  async ask() {
    try {
      let cursor;
      for (let page = 0; page < PAGES_MAX && cursor !== null; page++) {
        const found = await read(`v1/products/${this.product.id}/price-history`, {cursor, limit: 200}, this.signal);
        this.points.push(...found.items);
        cursor = found.next_cursor;
      }
      this.isWhole = cursor === null;
    } catch (error) {
      if (this.signal.aborted) return;
      if (!(error instanceof ApiProblem)) throw error;
      this.problem = error;
    }
    this.isAsked = true;
    this.draw();
  }

  /** @param {import("../places.js").Parameters} parameters */
  go({currency}) {
    this.currency = currency ?? "";
    this.draw();
  }

  get currencies() {
    return [...new Set(this.points.flatMap(one => one.price?.currency ?? []))].sort();
  }

  get shownCurrency() {
    return this.currencies.includes(this.currency) ? this.currency : (this.currencies[0] ?? "");
  }

  draw() {
    this.update();
    queueMicrotask(() => {
      const {times, series} = lines(this.points, this.shownCurrency, this.product.variants.map((/** @type {any} */ one) => one.sku));
      if (times.length) this.chart.show(times, series);
    });
  }

  view() {
    return html`
      <section class="card">
        <div class="card-head"><h2>Prices over time</h2>${this.currencies.length > 1 ? this.choice() : html`<span class="soft">${this.shownCurrency}</span>`}</div>
        ${this.problem ? refusal(this.problem) : this.isAsked ? nothing : waiting()}
        ${this.points.length ? this.chart.element : this.isAsked && !this.problem ? empty("No price has changed.") : nothing}
        ${this.points.length ? this.table() : nothing}
        ${this.isWhole ? nothing : html`<p class="soft">Only the newest ${this.points.length} changes.</p>`}
      </section>`;
  }

  choice() {
    const chosen = (/** @type {Event} */ event) => go(to("product", {...place().parameters, currency: /** @type {HTMLSelectElement} */ (event.target).value}));
    return html`<label>Currency <select @change=${chosen}>
      ${this.currencies.map(one => html`<option ?selected=${one === this.shownCurrency}>${one}</option>`)}</select></label>`;
  }

  table() {
    return html`<details><summary>As a table</summary>
      <table class="rows"><thead><tr><th>From</th><th>SKU</th><th class="number">Price</th><th>For sale</th><th class="number">Version</th></tr></thead>
      <tbody>${this.points.slice(0, 200).map(one => html`<tr>
        <td class="title">${moment(one.at)}</td><td class="mono" data-name="SKU">${one.sku}</td>
        <td class="number" data-name="Price">${money(one.price)}</td><td data-name="For sale">${one.for_sale ? "yes" : "no"}</td>
        <td class="number" data-name="Version">${one.version}</td></tr>`)}</tbody></table></details>`;
  }
}

/** A price holds until the next one, and the last one until now. @param {any[]} points @param {string} currency @param {string[]} present SKUs in their order */
function lines(points, currency, present) {
  const rising = points.toReversed();
  const skus = [...new Set([...present, ...points.map(one => one.sku)])].slice(0, LINES_MAX);
  const times = [...new Set(rising.map(one => Date.parse(one.at) / 1000))].sort((a, b) => a - b);
  if (times.length) times.push(Math.max(Date.now() / 1000, times[times.length - 1] + 1));
  const series = skus.map(sku => {
    const own = rising.filter(one => one.sku === sku);
    let next = 0;
    /** @type {number | null} */
    let price = null;
    const values = times.map(time => {
      for (; next < own.length && Date.parse(own[next].at) / 1000 <= time; next++) {
        price = own[next].price?.currency === currency ? Number(own[next].price.amount) : null;
      }
      return price;
    });
    return {name: sku, values};
  });
  return {times, series};
}
