/** Where events are sent to, how that goes, and each delivery with its attempts. */

import {html, nothing} from "../vendor/lit-html.js";
import {ago, count, duration, moment, words} from "../format.js";
import {copyable, state} from "../parts.js";
import {to} from "../places.js";
import {Paged} from "./paged.js";

const STATES = ["", "waiting", "delivered", "failed", "cancelled"];

/** @type {import("../app.js").OpenPage} */
export function open(parameters, update) {
  return new Webhooks(parameters, update);
}

class Webhooks {
  /** @param {import("../places.js").Parameters} parameters @param {() => void} update */
  constructor(parameters, update) {
    this.update = update;
    this.endpoints = new Paged("v1/webhook-endpoints", {}, update);
    /** @type {Paged | null} */
    this.deliveries = null;
    this.go(parameters);
  }

  /** @param {import("../places.js").Parameters} parameters */
  go({id, state: wanted}) {
    this.deliveries?.close();
    Object.assign(this, {id, wanted});
    const path = `v1/webhook-endpoints/${encodeURIComponent(id ?? "")}/deliveries`;
    this.deliveries = id ? new Paged(path, {state: wanted}, this.update) : null;
  }

  close() {
    this.endpoints.close();
    this.deliveries?.close();
  }

  view() {
    return html`
      <div class="stack">
        <div class="head"><h1>Webhooks</h1><button type="button" class="small" @click=${() => this.again()}>Ask again</button></div>
        ${this.endpoints.view(items => items.map(one => this.endpoint(one)), "No endpoint is registered.")}
      </div>`;
  }

  again() {
    this.endpoints.again();
    this.deliveries?.again();
  }

  /** @param {any} one */
  endpoint(one) {
    const {delivery} = one;
    const isOpen = one.id === this.id;
    return html`
      <article class="card stack">
        <div class="card-head"><h2>${one.description || one.url}</h2>${state(one.status)}</div>
        <p class="mono">${one.url}</p>
        ${one.disabled_reason ? html`<p>${one.disabled_reason}</p>` : nothing}
        <dl class="facts">
          <dt>Types</dt><dd>${one.types?.map(words).join(", ") ?? "all"}</dd>
          <dt>Signature</dt><dd>${one.signature}</dd>
          <dt>Position</dt><dd>${count(delivery.position)}</dd>
          <dt>Waiting</dt><dd>${delivery.waiting ? `${count(delivery.waiting)}, the oldest for ${duration(delivery.oldest_waiting_seconds)}` : "none"}</dd>
          <dt>Failing</dt><dd>${count(delivery.failing_products)} products</dd>
          <dt>Last success</dt><dd>${ago(delivery.last_success_at)}</dd>
          <dt>Last failure</dt><dd>${ago(delivery.last_failure_at)}</dd>
        </dl>
        <p><a href=${to("webhooks", {id: isOpen ? "" : one.id})}>${isOpen ? "Hide the deliveries" : "Show the deliveries"}</a></p>
        ${isOpen ? this.delivered(one) : nothing}
      </article>`;
  }

  /** @param {any} endpoint */
  delivered({id}) {
    return html`
      <ul class="chips" aria-label="States">${STATES.map(one => html`
        <li><a class="chip" aria-current=${(this.wanted ?? "") === one ? "true" : nothing} href=${to("webhooks", {id, state: one})}>${one || "all"}</a></li>`)}</ul>
      ${this.deliveries?.view(items => html`<ul class="tail">${items.map(one => delivery(id, one))}</ul>`, "No deliveries.")}`;
  }
}

/** @param {string} endpoint @param {any} one */
const delivery = (endpoint, one) => html`
  <li>
    <p class="line">${state(one.state)} <strong>${words(one.type)}</strong>
      ${one.product_id === null ? nothing : html`<a href=${to("product", {key: one.product_id})}>${one.product_id}</a>
        <span class="mono">${count(one.position)}</span>`} <time class="at" datetime=${one.time}>${moment(one.time)}</time>
      ${one.next_attempt_at ? html`<span>next attempt ${moment(one.next_attempt_at)}</span>` : nothing}</p>
    <details><summary>${one.attempts.length} ${one.attempts.length === 1 ? "attempt" : "attempts"}</summary>
      ${one.attempts.map((/** @type {any} */ each) => html`
        <p class="change"><time>${moment(each.at)}</time> <strong>${each.status ?? each.error ?? "no answer"}</strong> ${count(each.milliseconds)} ms
          ${each.status && each.error ? html`<span>${each.error}</span>` : nothing} ${each.response ? html`<code>${each.response}</code>` : nothing}</p>`)}
      ${copyable(`curl -X POST "$COMMAND_API/v1/webhook-endpoints/${endpoint}/deliveries/${one.id}:redeliver"`, "the request that sends it again")}
    </details>
  </li>`;
