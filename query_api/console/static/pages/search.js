/** Search as one types, with facets, the reason of each hit, and the request as a command to copy. */

import {html, nothing} from "../vendor/lit-html.js";
import {ApiProblem, address, curl, read} from "../api.js";
import {count, plural} from "../format.js";
import {copyable, empty, refusal, waiting} from "../parts.js";
import {go, to} from "../places.js";
import {chips, facets} from "./facets.js";
import {hit} from "./hit.js";
import {suggestions} from "./suggestions.js";

/** @typedef {import("../places.js").Parameters} Parameters */

const TYPING_MS = 180;
const PAGE_LIMIT = "20";
/** Pixels from which filters stand beside the results. */
const WIDE = 860;
const SORTS = {"": "best match", "-updated_at": "last changed", name: "name", price: "price, rising", "-price": "price, falling"};

/** @type {import("../app.js").OpenPage} */
export function open(parameters, update) {
  const page = new Search(parameters, update);
  page.ask();
  return page;
}

class Search {
  /** @param {Parameters} parameters @param {() => void} update */
  constructor(parameters, update) {
    this.parameters = parameters;
    this.update = update;
    /** @type {any} */
    this.found = null;
    /** @type {any} */
    this.suggested = null;
    /** @type {unknown} */
    this.problem = null;
    this.asking = new AbortController();
  }

  /** @param {Parameters} parameters */
  go(parameters) {
    if (JSON.stringify(parameters) === JSON.stringify(this.parameters)) return;
    this.parameters = parameters;
    this.ask();
  }

  close() {
    clearTimeout(this.typing);
    this.asking.abort();
  }

  /** What the API is asked. */
  get request() {
    const {parameters} = this;
    const names = ["brand", "category", "tag", "status", ...(parameters.currency ? ["price"] : [])];
    const sort = parameters.sort === "" || (!parameters.q && parameters.sort === "relevance") ? undefined : parameters.sort;
    return {...parameters, sort, facets: names.join(","), with_total: "true", limit: PAGE_LIMIT};
  }

  /** A later question overtakes an earlier one. */
  async ask() {
    this.asking.abort();
    const {signal} = (this.asking = new AbortController());
    this.isAsking = true;
    const q = this.parameters.q;
    try {
      const [found, suggested] = await Promise.all([
        read("v1/products", this.request, signal),
        q && !this.parameters.cursor ? read("v1/products/suggest", {q, limit: 5}, signal).catch(() => null) : null,
      ]);
      Object.assign(this, {found, suggested, problem: null});
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiProblem)) throw error;
      Object.assign(this, {found: null, suggested: null, problem: error});
    }
    if (signal.aborted) return;
    this.isAsking = false;
    this.update();
  }

  /** Other filters; a cursor belongs to its filters. @param {Parameters} changed */
  choose(changed, {isStep = true} = {}) {
    const {cursor: _, ...kept} = this.parameters;
    go(to("search", {...kept, ...changed}), {isStep});
  }

  /** @param {Event} event */
  typed(event) {
    const q = /** @type {HTMLInputElement} */ (event.target).value;
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.choose({q}, {isStep: false}), TYPING_MS);
  }

  /** @param {SubmitEvent} event */
  submitted(event) {
    event.preventDefault();
    clearTimeout(this.typing);
    const given = Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)));
    this.choose({...given, currency: String(given.currency).trim().toUpperCase()});
  }

  view() {
    return html`
      <div class="head"><h1>Search</h1></div>
      <div class="stack">
        ${this.form()}
        ${this.problem ? refusal(this.problem) : this.found ? this.results() : waiting()}
        <section class="card"><h2>This request</h2>${copyable(curl(address("v1/products", this.request)), "the request")}</section>
      </div>`;
  }

  form() {
    const {q = "", price_min = "", price_max = "", currency = "", sort = ""} = this.parameters;
    return html`
      <form class="card form" role="search" @submit=${this.submitted.bind(this)}>
        <label class="wide">Text
          <input name="q" type="search" .value=${q} maxlength="255" autocomplete="off" spellcheck="false"
            placeholder="blue shirt, &quot;blue shirt&quot;, -cotton, OBS-M" @input=${this.typed.bind(this)}>
        </label>
        <label>Price from <input name="price_min" .value=${price_min} inputmode="decimal" size="8"></label>
        <label>to <input name="price_max" .value=${price_max} inputmode="decimal" size="8"></label>
        <label>Currency <input name="currency" .value=${currency} maxlength="3" size="5" placeholder="USD"></label>
        <label>Order
          <select name="sort" @change=${(/** @type {Event} */ event) => /** @type {HTMLSelectElement} */ (event.target).form?.requestSubmit()}>
            ${Object.entries(SORTS).map(([value, text]) => html`<option value=${value} ?selected=${value === sort}>${text}</option>`)}
          </select>
        </label>
        <button class="primary">Search</button>
      </form>`;
  }

  results() {
    const {found, parameters} = this;
    return html`
      ${chips(parameters, changed => this.choose(changed))}
      ${this.suggested ? suggestions(this.suggested, changed => this.choose(changed)) : nothing}
      <div class="results-page" aria-busy=${Boolean(this.isAsking)}>
        <aside class="card" aria-label="Filters">
          <details ?open=${innerWidth > WIDE}><summary>Filters</summary>${facets(found.facets ?? {}, parameters, changed => this.choose(changed))}</details>
        </aside>
        <section class="card">
          <div class="card-head">
            <h2 aria-live="polite">${found.total === undefined ? "Products" : plural(found.total, "product")}${parameters.cursor ? ", a later page" : ""}</h2>
            ${found.corrected ? html`<p class="soft">found with: <strong>${found.corrected}</strong></p>` : nothing}
          </div>
          ${found.items.length ? html`<ol class="hits">${found.items.map((/** @type {any} */ item, /** @type {number} */ index) => hit(item, found.matches?.[index], parameters.currency))}</ol>` : empty("Nothing meets all of this.")}
          <div class="chips">
            ${parameters.cursor ? html`<a href=${to("search", {...parameters, cursor: ""})}>First page</a>` : nothing}
            ${found.next_cursor ? html`<a href=${to("search", {...parameters, cursor: found.next_cursor})}>Next page</a>` : nothing}
            <span class="soft">${count(found.items.length)} on this page</span>
          </div>
        </section>
      </div>`;
  }
}
