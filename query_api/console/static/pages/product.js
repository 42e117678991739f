/** One product: as it is or was, its life, what differs between versions, its prices, and where it stands. */

import {html, nothing} from "../vendor/lit-html.js";
import {ApiProblem, read, segment} from "../api.js";
import {copyable, notice, refusal, state, waiting} from "../parts.js";
import {go, to} from "../places.js";
import {Difference} from "./product_difference.js";
import {document_} from "./product_document.js";
import {Life} from "./product_life.js";
import {Prices} from "./product_prices.js";
import {Standing} from "./product_standing.js";

/** @typedef {import("../places.js").Parameters} Parameters */

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @type {import("../app.js").OpenPage} */
export function open(parameters, update) {
  const page = new Product(parameters, update);
  page.load();
  return page;
}

class Product {
  /** @param {Parameters} parameters @param {() => void} update */
  constructor(parameters, update) {
    this.parameters = parameters;
    this.update = update;
    /** @type {any} */
    this.present = null;
    /** @type {any} */
    this.shown = null;
    /** @type {unknown} */
    this.problem = null;
    /** @type {{go?: (parameters: Parameters) => void, view: () => unknown, close?: () => void}[]} */
    this.sections = [];
    this.leaving = new AbortController();
  }

  /** @param {Parameters} parameters */
  go(parameters) {
    const isAnother = parameters.key !== this.parameters.key;
    this.parameters = parameters;
    if (isAnother) {
      this.closeSections();
      this.load();
    } else {
      this.travel();
      this.sections.forEach(section => section.go?.(parameters));
    }
  }

  close() {
    this.leaving.abort();
    this.closeSections();
  }

  closeSections() {
    this.sections.forEach(section => section.close?.());
    this.sections = [];
  }

  async load() {
    const {key} = this.parameters;
    Object.assign(this, {present: null, shown: null, problem: null});
    if (!key) return;
    try {
      const found = await this.find(key);
      if (key !== this.parameters.key) return;
      this.present = found;
      const context = {product: found, signal: this.leaving.signal, update: this.update};
      this.sections = [new Prices(context), new Difference(context), new Standing(context), new Life(context)];
      this.sections.forEach(section => section.go?.(this.parameters));
      await this.travel();
    } catch (error) {
      this.failed(error);
    }
    this.update();
  }

  /** An id, else a SKU, else a slug. @param {string} key */
  async find(key) {
    const {signal} = this.leaving;
    if (ID.test(key)) return read(`v1/products/${key}`, {}, signal);
    try {
      return await read(`v1/products/by-sku/${segment(key)}`, {}, signal);
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.problem.code !== "product-not-found") throw error;
      return read(`v1/products/by-slug/${segment(key)}`, {}, signal);
    }
  }

  /** To the version in the address. */
  async travel() {
    const {version} = this.parameters;
    const isPresent = !version || Number(version) === this.present?.version;
    if (!this.present) return;
    if (isPresent) {
      Object.assign(this, {shown: this.present, problem: null});
    } else {
      try {
        const past = await read(`v1/products/${this.present.id}`, {version}, this.leaving.signal);
        if (version !== this.parameters.version) return;
        Object.assign(this, {shown: past, problem: null});
      } catch (error) {
        this.failed(error);
      }
    }
    this.update();
  }

  /** @param {unknown} error */
  failed(error) {
    if (this.leaving.signal.aborted) return;
    if (!(error instanceof ApiProblem)) throw error;
    Object.assign(this, {shown: null, problem: error});
  }

  view() {
    const {key = ""} = this.parameters;
    return html`
      <div class="stack">
        <div class="head"><h1>${this.present?.name ?? "Product"}</h1>${this.present ? this.names() : nothing}</div>
        <form class="form" @submit=${find}>
          <label class="wide">Id, SKU or slug <input name="key" .value=${key} autocomplete="off" spellcheck="false" required></label>
          <button class="primary">Show</button>
        </form>
        ${this.present ? this.slider() : nothing}
        ${this.problem ? refusal(this.problem) : nothing}
        ${this.shown ? document_(this.shown) : key && !this.problem ? waiting() : nothing}
        ${this.sections.length ? this.below() : nothing}
        ${this.present ? html`<section class="card"><h2>This request</h2>${copyable(this.request, "the request")}</section>` : nothing}
      </div>`;
  }

  below() {
    const [prices, difference, standing, life] = this.sections.map(section => section.view());
    return html`${prices}<div class="grid">${difference}${standing}</div>${life}`;
  }

  get request() {
    const {version} = this.parameters;
    return `curl '${new URL(`../../../v1/products/${this.present.id}${version ? `?version=${version}` : ""}`, import.meta.url)}'`;
  }

  names() {
    const {id, slug, status} = this.present;
    return html`<p class="soft">${state(status)} <span class="mono">${slug}</span> <span class="mono">${id}</span></p>`;
  }

  /** Time travel: each version is an address of its own. */
  slider() {
    const {present, parameters} = this;
    const last = present.version;
    const at = Number(parameters.version ?? last);
    const isPast = at !== last;
    /** @param {number} version */
    const address = version => to("product", {...parameters, version: version === last ? "" : version});
    return html`
      <section class="card slider" aria-label="Time travel">
        <label>Version ${at} of ${last}
          <input type="range" min="1" max=${last} step="1" .value=${String(at)} ?disabled=${last === 1}
            @input=${(/** @type {Event} */ event) => go(address(Number(/** @type {HTMLInputElement} */ (event.target).value)), {isStep: false})}>
        </label>
        ${at > 1 ? html`<a href=${address(at - 1)}>Before</a>` : nothing}
        ${isPast ? html`<a href=${address(at + 1)}>After</a> <a href=${address(last)}>Present</a>` : nothing}
      </section>
      ${isPast ? notice("warn", `This is the past: version ${at}.`) : nothing}`;
  }
}

/** @param {SubmitEvent} event */
function find(event) {
  event.preventDefault();
  const key = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("key") ?? "").trim();
  go(to("product", {key}));
}
