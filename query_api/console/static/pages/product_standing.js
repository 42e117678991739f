/** How far each projection is with one product. */

import {html} from "../vendor/lit-html.js";
import {ApiProblem, read} from "../api.js";
import {count, NONE, words} from "../format.js";
import {refusal, waiting} from "../parts.js";
import {to} from "../places.js";

export class Standing {
  /** @param {{product: any, signal: AbortSignal, update: () => void}} context */
  constructor({product, signal, update}) {
    Object.assign(this, {product, signal, update});
    /** @type {any} */
    this.found = null;
    /** @type {unknown} */
    this.problem = null;
    this.ask();
  }

  async ask() {
    try {
      this.found = await read(`v1/products/${this.product.id}/projections`, {}, this.signal);
      this.problem = null;
    } catch (error) {
      if (this.signal.aborted) return;
      if (!(error instanceof ApiProblem)) throw error;
      this.problem = error;
    }
    this.update();
  }

  view() {
    return html`
      <section class="card">
        <div class="card-head"><h2>Where it stands</h2><button type="button" class="small" @click=${() => this.ask()}>Ask again</button></div>
        ${this.problem ? refusal(this.problem) : this.found ? this.table() : waiting()}
      </section>`;
  }

  table() {
    const {stream_version, log_position, published, cache, projections} = this.found;
    return html`
      <p class="soft">The log has version ${stream_version}, at position ${count(log_position)}.</p>
      <table class="rows">
        <thead><tr><th>Where</th><th>State</th><th class="number">Version</th><th class="number">Position</th></tr></thead>
        <tbody>
          ${row("topic", published.is_published ? "good" : "warn", published.is_published ? "published" : "waits for the relay", published.state_version, null)}
          ${projections.map((/** @type {any} */ one) => one.is_parked
            ? row(words(one.projection), "bad", html`<a href=${to("dead-letters", {projection: one.projection})}>parked</a>`, one.version, one.position)
            : row(words(one.projection), one.has_applied ? "good" : "warn", one.has_applied ? "has applied it" : "not yet", one.version, one.position))}
          ${cache ? row("cache", cache.is_cached ? "good" : "quiet", cache.is_cached ? "has it" : "does not have it", cache.version, null)
            : row("cache", "bad", "does not answer", null, null)}
        </tbody>
      </table>`;
  }
}

/** @param {string} name @param {string} tone @param {unknown} says @param {number | null} version @param {number | null} position */
const row = (name, tone, says, version, position) => html`
  <tr>
    <td class="title">${name}</td>
    <td data-name="State"><span class=${`state ${tone}`}>${says}</span></td>
    <td class="number" data-name="Version">${version ?? NONE}</td>
    <td class="number" data-name="Position">${position === null ? NONE : count(position)}</td>
  </tr>`;
