/** The life of a product: who changed what, and when. */

import {html, nothing} from "../vendor/lit-html.js";
import {ApiProblem, read} from "../api.js";
import {ago, moment, words} from "../format.js";
import {more, refusal, waiting} from "../parts.js";
import {to} from "../places.js";
import {changes} from "./changes.js";

const FIELDS_SHOWN = 8;

export class Life {
  /** @param {{product: any, signal: AbortSignal, update: () => void}} context */
  constructor({product, signal, update}) {
    Object.assign(this, {product, signal, update});
    /** @type {any[]} */
    this.items = [];
    this.cursor = null;
    /** @type {unknown} */
    this.problem = null;
    this.isAsked = false;
    this.ask();
  }

  async ask() {
    try {
      const page = await read(`v1/products/${this.product.id}/history`, {cursor: this.cursor, limit: 20}, this.signal);
      this.items = [...this.items, ...page.items];
      this.cursor = page.next_cursor;
    } catch (error) {
      if (this.signal.aborted) return;
      if (!(error instanceof ApiProblem)) throw error;
      this.problem = error;
    }
    this.isAsked = true;
    this.update();
  }

  view() {
    return html`
      <section class="card">
        <h2>Life</h2>
        ${this.problem ? refusal(this.problem) : this.isAsked ? nothing : waiting()}
        <ol class="timeline">${this.items.map(one => this.event(one))}</ol>
        ${more(this.cursor, () => this.ask(), "Earlier events")}
      </section>`;
  }

  /** @param {any} one */
  event(one) {
    const shown = one.changes.slice(0, FIELDS_SHOWN);
    const rest = one.changes.slice(FIELDS_SHOWN);
    return html`
      <li>
        <p><strong>${words(one.type.replace(/^product-/, ""))}</strong>
          <a href=${to("product", {key: this.product.id, version: one.version})}>version ${one.version}</a></p>
        <p class="when"><time datetime=${one.time}>${moment(one.time)}</time>, ${ago(one.time)}, by ${one.actor ?? "someone who is not told"}</p>
        ${changes(shown)}
        ${rest.length ? html`<details><summary>${rest.length} more fields</summary>${changes(rest)}</details>` : nothing}
      </li>`;
  }
}
