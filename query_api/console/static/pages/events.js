/** The events of the log as they come, and earlier ones by pages. */

import {html, nothing} from "../vendor/lit-html.js";
import {ApiProblem, read} from "../api.js";
import {count, moment, words} from "../format.js";
import {empty, notice, refusal} from "../parts.js";
import {go, to} from "../places.js";
import {Tail} from "./event_tail.js";
import {TYPES} from "./event_types.js";

/** @typedef {import("../places.js").Parameters} Parameters */

const SHOWN_MAX = 500;
const PAGE = 50;
/** So many positions of the log are looked at for one page if a filter leaves most of them out. */
const FILTERED_WINDOW = 5000;
/** No event is recorded after this: the page is empty, and its cursor is the end of the log. */
const FUTURE = "9999-01-01T00:00:00Z";

/** @type {import("../app.js").OpenPage} */
export function open(parameters, update) {
  const page = new Events(parameters, update);
  page.begin();
  return page;
}

class Events {
  /** @param {Parameters} parameters @param {() => void} update */
  constructor(parameters, update) {
    this.parameters = parameters;
    this.update = update;
    /** @type {any[]} newest first */
    this.shown = [];
    /** Everything from here on has been looked at. */
    this.earliest = 0;
    /** @type {unknown} */
    this.problem = null;
    this.note = "";
    this.asking = new AbortController();
    this.tail = new Tail(event => this.came(event), update);
    this.clock = setInterval(() => this.tail.isWaiting && update(), 1000);
  }

  /** @param {Parameters} parameters */
  go(parameters) {
    if (JSON.stringify(parameters) === JSON.stringify(this.parameters)) return;
    this.parameters = parameters;
    this.begin();
  }

  close() {
    clearInterval(this.clock);
    this.asking.abort();
    this.tail.close();
  }

  get filter() {
    return {types: this.parameters.types, product_id: this.parameters.product_id};
  }

  /** From the present end of the log on; the page before it is shown at once. */
  async begin() {
    this.asking.abort();
    this.asking = new AbortController();
    this.tail.close();
    Object.assign(this, {shown: [], problem: null, note: ""});
    try {
      const {next_cursor: end} = await read("v1/events", {...this.filter, since: FUTURE, limit: 1}, this.asking.signal);
      this.earliest = Number(end) + 1;
      this.tail.open(Number(end), this.filter);
      await this.earlier();
    } catch (error) {
      this.failed(error);
    }
    this.update();
  }

  async earlier() {
    const isFiltered = Boolean(this.filter.types || this.filter.product_id);
    const window = isFiltered ? FILTERED_WINDOW : PAGE;
    const after = Math.max(0, this.earliest - 1 - window);
    try {
      const {items} = await read("v1/events", {...this.filter, after, limit: 200}, this.asking.signal);
      const before = items.filter((/** @type {any} */ one) => Number(one.position) < this.earliest);
      this.shown.push(...before.reverse());
      this.note = before.length ? "" : `Nothing that matches between ${count(after + 1)} and ${count(this.earliest - 1)}.`;
      this.earliest = after + 1;
    } catch (error) {
      this.failed(error);
    }
    this.update();
  }

  /** @param {unknown} error */
  failed(error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    if (!(error instanceof ApiProblem)) throw error;
    this.problem = error;
  }

  /** @param {any} event */
  came(event) {
    event.isNew = true;
    this.shown.unshift(event);
    if (this.shown.length > SHOWN_MAX) {
      this.earliest = Number(this.shown[SHOWN_MAX - 1].position);
      this.shown.length = SHOWN_MAX;
    }
    this.update();
  }

  view() {
    return html`
      <div class="stack">
        <div class="head"><h1>Events</h1>${this.tail.says()}</div>
        ${this.filters()}
        ${this.problem ? refusal(this.problem) : nothing}
        <section class="card">
          <div class="card-head">
            <h2>Newest first</h2>
            <button type="button" @click=${() => this.tail.toggle()}>${this.tail.isPaused ? "Resume" : "Pause"}</button>
          </div>
          ${this.shown.length ? html`<ol class="tail">${this.shown.map(line)}</ol>` : empty("No events.")}
          ${this.note ? notice("quiet", this.note) : nothing}
          ${this.earliest > 1 ? html`<button type="button" @click=${() => this.earlier()}>Earlier events</button>` : html`<p class="soft">That is the beginning of the log.</p>`}
        </section>
      </div>`;
  }

  filters() {
    const chosen = new Set(this.parameters.types?.split(",") ?? []);
    /** @param {string} type */
    const toggle = type => {
      const types = TYPES.filter(one => chosen.has(one) !== (one === type));
      go(to("events", {...this.parameters, types: types.join(",")}));
    };
    return html`
      <section class="card" aria-label="Filters">
        <div class="chips" role="group" aria-label="Types">
          ${TYPES.map(type => html`<button type="button" class="chip" aria-pressed=${chosen.has(type)} @click=${() => toggle(type)}>${words(type.replace("product-", ""))}</button>`)}
        </div>
        <form class="form" @submit=${(/** @type {SubmitEvent} */ event) => this.submitted(event)}>
          <label class="wide">Product id <input name="product_id" .value=${this.parameters.product_id ?? ""} autocomplete="off" spellcheck="false"></label>
          <button>Filter</button>
        </form>
      </section>`;
  }

  /** @param {SubmitEvent} event */
  submitted(event) {
    event.preventDefault();
    const product_id = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("product_id") ?? "").trim();
    go(to("events", {...this.parameters, product_id}));
  }
}

/** @param {any} event as CloudEvents JSON */
export const line = event => html`
  <li class=${event.isNew ? "new" : ""}>
    <p class="line">
      <span class="mono">${count(Number(event.position))}</span>
      <strong>${words(event.type.replace("product-", ""))}</strong>
      <a href=${to("product", {key: event.subject, version: event.streamversion})}>version ${event.streamversion}</a>
      <span>${summary(event)}</span>
      <time class="at" datetime=${event.time}>${moment(event.time)}</time>
    </p>
    <details><summary>${event.subject}</summary><pre tabindex="0">${JSON.stringify({...event, isNew: undefined}, null, 2)}</pre></details>
  </li>`;

/** @param {any} event */
function summary({data}) {
  if (data.price?.amount && data.sku) {
    const before = data.previous_price ? `${data.previous_price.amount} to ` : "";
    return `${data.sku}: ${before}${data.price.amount} ${data.price.currency}`;
  }
  return data.name ?? data.sku ?? "";
}
