/** What projections could not apply: why, which event it is, what waits behind it, and how to try again. */

import {html, nothing} from "../vendor/lit-html.js";
import {ApiProblem, read} from "../api.js";
import {ago, count, plural, words} from "../format.js";
import {copyable, empty, refusal} from "../parts.js";
import {to} from "../places.js";
import {Paged} from "./paged.js";

/** @type {import("../app.js").OpenPage} */
export function open(parameters, update) {
  return new DeadLetters(parameters, update);
}

class DeadLetters {
  /** @param {import("../places.js").Parameters} parameters @param {() => void} update */
  constructor(parameters, update) {
    this.update = update;
    /** @type {Map<string, any>} the event, or why it is not shown, by position */
    this.records = new Map();
    this.begin(parameters);
  }

  /** @param {import("../places.js").Parameters} parameters */
  begin(parameters) {
    this.projection = parameters.projection;
    this.list = new Paged("v1/dead-letters", {projection: this.projection}, this.update);
  }

  /** @param {import("../places.js").Parameters} parameters */
  go(parameters) {
    if (parameters.projection === this.projection) return;
    this.close();
    this.begin(parameters);
  }

  close() {
    this.list.close();
  }

  view() {
    const {projection} = this;
    return html`
      <div class="stack">
        <div class="head">
          <h1>Dead letters</h1>
          <button type="button" class="small" @click=${() => this.list.again()}>Ask again</button>
        </div>
        ${projection ? html`<ul class="chips"><li><a class="chip" href=${to("dead-letters")}>projection: ${words(projection)} ✕</a></li></ul>` : nothing}
        ${this.list.view(items => items.map(one => this.letter(one)), "Nothing is parked.")}
      </div>`;
  }

  /** @param {any} one */
  letter(one) {
    return html`
      <article class="card stack">
        <div class="card-head">
          <h2>${words(one.projection)}: ${words(one.event_type ?? "an event")}</h2>
          <span class="soft">parked ${ago(one.parked_at)}</span>
        </div>
        <p class="mono">${one.cause}</p>
        <dl class="facts">
          <dt>Product</dt><dd>${one.product_id ? html`<a href=${to("product", {key: one.product_id})}>${one.product_id}</a>` : "none"}</dd>
          <dt>Position</dt><dd>${count(one.log_position)}</dd>
          <dt>Behind it</dt><dd>${one.followers ? `${plural(one.followers, "event")} of this product` : "nothing"}</dd>
          <dt>Attempts</dt><dd>${count(one.attempts)}</dd>
        </dl>
        ${this.record(one.log_position)}
        <p>When the cause is removed:</p>
        ${copyable(one.commands.retry, "the command that tries again")}
        <details><summary>Other commands</summary>
          ${copyable(one.commands.show, "the command that shows it")} ${copyable(one.commands.discard, "the command that gives it up")}
        </details>
      </article>`;
  }

  /** @param {number | null} position */
  record(position) {
    if (!position) return nothing;
    const found = this.records.get(String(position));
    return html`
      <details @toggle=${(/** @type {Event} */ event) => /** @type {HTMLDetailsElement} */ (event.target).open && this.load(position)}>
        <summary>The event</summary>
        ${found instanceof ApiProblem ? refusal(found) : found ? html`<pre tabindex="0">${JSON.stringify(found, null, 2)}</pre>` : empty("Loading …")}
      </details>`;
  }

  /** @param {number} position */
  async load(position) {
    if (this.records.has(String(position))) return;
    try {
      const {items} = await read("v1/events", {after: position - 1, limit: 1});
      this.records.set(String(position), items[0] ?? {detail: "The log has no such event."});
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      this.records.set(String(position), error);
    }
    this.update();
  }
}
