/** A list that the API gives in pages: one page at a time, in the order of the API. */

import {html, nothing} from "../vendor/lit-html.js";
import {ApiProblem, read} from "../api.js";
import {empty, more, refusal, waiting} from "../parts.js";

export class Paged {
  /**
   * @param {string} path
   * @param {Record<string, string | undefined>} parameters
   * @param {() => void} update
   */
  constructor(path, parameters, update) {
    Object.assign(this, {path, parameters, update});
    /** @type {any[]} */
    this.items = [];
    this.cursor = null;
    this.isAsked = false;
    /** @type {unknown} */
    this.problem = null;
    this.leaving = new AbortController();
    this.ask();
  }

  close() {
    this.leaving.abort();
  }

  async ask() {
    try {
      const page = await read(this.path, {...this.parameters, cursor: this.cursor, limit: 50}, this.leaving.signal);
      this.items = [...this.items, ...page.items];
      this.cursor = page.next_cursor;
      this.problem = null;
    } catch (error) {
      if (this.leaving.signal.aborted) return;
      if (!(error instanceof ApiProblem)) throw error;
      this.problem = error;
    }
    this.isAsked = true;
    this.update();
  }

  /** From its first page on. */
  again() {
    Object.assign(this, {items: [], cursor: null, isAsked: false});
    this.update();
    this.ask();
  }

  /** @param {(items: any[]) => unknown} shown @param {string} none */
  view(shown, none) {
    return html`
      ${this.problem ? refusal(this.problem) : this.isAsked ? nothing : waiting()}
      ${this.items.length ? shown(this.items) : this.isAsked && !this.problem ? empty(none) : nothing}
      ${more(this.cursor, () => this.ask())}`;
  }
}
