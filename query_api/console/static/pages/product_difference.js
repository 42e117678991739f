/** What differs between any two versions of a product. */

import {html, nothing} from "../vendor/lit-html.js";
import {ApiProblem, read} from "../api.js";
import {moment} from "../format.js";
import {empty, refusal} from "../parts.js";
import {go, place, to} from "../places.js";
import {changes} from "./changes.js";

export class Difference {
  /** @param {{product: any, signal: AbortSignal, update: () => void}} context */
  constructor({product, signal, update}) {
    Object.assign(this, {product, signal, update});
    this.asked = "";
    /** @type {any} */
    this.found = null;
    /** @type {unknown} */
    this.problem = null;
  }

  /** @param {import("../places.js").Parameters} parameters */
  async go({from, to: until}) {
    const asked = `${from}-${until}`;
    if (asked === this.asked) return;
    this.asked = asked;
    Object.assign(this, {from, until, found: null, problem: null});
    if (!from) return;
    try {
      const found = await read(`v1/products/${this.product.id}/diff`, {from, to: until}, this.signal);
      if (asked === this.asked) this.found = found;
    } catch (error) {
      if (this.signal.aborted) return;
      if (!(error instanceof ApiProblem)) throw error;
      this.problem = error;
    }
    this.update();
  }

  view() {
    const last = this.product.version;
    const from = this.from ?? String(Math.max(1, last - 1));
    const until = this.until ?? String(last);
    return html`
      <section class="card">
        <h2>Difference of two versions</h2>
        <form class="form" @submit=${compare}>
          <label>From version <input name="from" type="number" min="1" max=${last} .value=${from} required></label>
          <label>to version <input name="to" type="number" min="1" max=${last} .value=${until} required></label>
          <button>Compare</button>
        </form>
        ${this.problem ? refusal(this.problem) : nothing}
        ${this.found ? this.difference() : nothing}
      </section>`;
  }

  difference() {
    const {from, to: until, changes: all, patch} = this.found;
    return html`
      <p class="soft">Version ${from.version} of ${moment(from.updated_at)} and version ${until.version} of ${moment(until.updated_at)}</p>
      ${all.length ? changes(all) : empty("Nothing differs.")}
      ${patch.length ? html`<details><summary>As JSON Patch</summary><pre tabindex="0">${JSON.stringify(patch, null, 2)}</pre></details>` : nothing}`;
  }
}

/** @param {SubmitEvent} event */
function compare(event) {
  event.preventDefault();
  const given = new FormData(/** @type {HTMLFormElement} */ (event.target));
  go(to("product", {...place().parameters, from: String(given.get("from")), to: String(given.get("to"))}));
}
