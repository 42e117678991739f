/** Past imports: what each made, and the rows that it refused. */

import {html, nothing} from "../vendor/lit-html.js";
import {ApiProblem, read, segment} from "../api.js";
import {count, duration, moment, plural} from "../format.js";
import {empty, refusal, waiting} from "../parts.js";
import {to} from "../places.js";
import {Paged} from "./paged.js";

/** @type {import("../app.js").OpenPage} */
export function open(parameters, update) {
  return new Imports(parameters, update);
}

class Imports {
  /** @param {import("../places.js").Parameters} parameters @param {() => void} update */
  constructor(parameters, update) {
    this.update = update;
    this.leaving = new AbortController();
    this.list = new Paged("v1/imports", {}, update);
    this.go(parameters);
  }

  /** @param {import("../places.js").Parameters} parameters */
  async go({id}) {
    if (id === this.id) return;
    Object.assign(this, {id, one: null, problem: null});
    if (!id) return;
    try {
      const one = await read(`v1/imports/${segment(id)}`, {}, this.leaving.signal);
      if (id === this.id) this.one = one;
    } catch (error) {
      if (this.leaving.signal.aborted) return;
      if (!(error instanceof ApiProblem)) throw error;
      this.problem = error;
    }
    this.update();
  }

  close() {
    this.leaving.abort();
    this.list.close();
  }

  view() {
    return html`
      <div class="stack">
        <div class="head"><h1>Imports</h1><button type="button" class="small" @click=${() => this.list.again()}>Ask again</button></div>
        ${this.id ? html`<section class="card">${this.problem ? refusal(this.problem) : this.one ? rejects(this.one) : waiting()}</section>` : nothing}
        <section class="card">${this.list.view(table, "Nothing has been imported yet.")}</section>
      </div>`;
  }
}

/** @param {any[]} items */
const table = items => html`
  <table class="rows">
    <thead><tr><th>File</th><th>Began</th><th class="number">Took</th><th>By</th><th class="number">Products</th><th class="number">Created</th>
      <th class="number">Changed</th><th class="number">Unchanged</th><th class="number">Rejected</th><th class="number">Events</th></tr></thead>
    <tbody>${items.map(one => html`<tr>
      <td class="title"><a href=${to("imports", {id: one.import_id})}>${one.file}</a></td>
      <td data-name="Began">${moment(one.started_at)}</td>
      <td class="number" data-name="Took">${one.finished_at ? duration((Date.parse(one.finished_at) - Date.parse(one.started_at)) / 1000) : "not finished"}</td>
      <td data-name="By">${one.caller ?? "not told"}</td>
      ${["products", "created", "changed", "unchanged", "rejected", "events"].map(name => html`
        <td class="number" data-name=${name[0].toUpperCase() + name.slice(1)}>${count(one[name])}</td>`)}
    </tr>`)}</tbody>
  </table>`;

/** @param {any} one */
const rejects = one => html`
  <div class="card-head"><h2>${one.file}</h2><a href=${to("imports")}>Close</a></div>
  <p class="soft mono">${one.import_id}</p>
  ${one.rejects.length ? html`
    <table class="rows"><thead><tr><th>Product</th><th>Lines</th><th>Reason</th></tr></thead>
      <tbody>${one.rejects.map((/** @type {any} */ each) => html`<tr>
        <td class="title">${each.key ?? "not known"}</td><td data-name="Lines">${each.lines}</td><td data-name="Reason">${each.reason}</td></tr>`)}</tbody>
    </table>` : empty("Nothing was rejected.")}
  ${one.rejects_left_out ? html`<p class="soft">${plural(one.rejects_left_out, "further row")} not listed.</p>` : nothing}`;
