/** Follows `/v1/events/stream`: with a ticket where the caller has a token, and again after each end. */

import {html} from "../vendor/lit-html.js";
import {ApiProblem, address, read} from "../api.js";
import {duration} from "../format.js";
import {token} from "../token.js";
import {TYPES} from "./event_types.js";

const WAIT_MS = 2000;

export class Tail {
  /** @param {(event: any) => void} came @param {() => void} update */
  constructor(came, update) {
    this.came = came;
    this.update = update;
    /** @type {EventSource | null} */
    this.source = null;
    this.position = 0;
    /** @type {Record<string, string | undefined>} */
    this.filter = {};
    this.isPaused = false;
    this.isLive = false;
    this.lostAt = 0;
    this.reason = "";
  }

  get isWaiting() {
    return !this.isLive && !this.isPaused;
  }

  /** @param {number} position all after it is wanted @param {Record<string, string | undefined>} filter */
  open(position, filter) {
    Object.assign(this, {position, filter, lostAt: performance.now(), reason: ""});
    if (!this.isPaused) this.connect();
  }

  close() {
    clearTimeout(this.next);
    this.source?.close();
    this.source = null;
    this.isLive = false;
  }

  /** While it pauses nothing is lost: it goes on after the last event that it showed. */
  toggle() {
    this.isPaused = !this.isPaused;
    if (this.isPaused) this.close();
    else this.open(this.position, this.filter);
    this.update();
  }

  async connect() {
    this.close();
    const {filter} = this;
    let ticket;
    try {
      if (token()) ({ticket} = await read("v1/events/stream-ticket"));
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      this.lost(error.message);
      return;
    }
    if (this.isPaused || filter !== this.filter || this.source) return;
    const source = new EventSource(address("v1/events/stream", {...filter, after: this.position, ticket}));
    this.source = source;
    source.onopen = () => {
      Object.assign(this, {isLive: true, reason: ""});
      this.update();
    };
    // A ticket is good for one stream, and the address would name the old place: so this is a new one each time.
    source.onerror = () => source === this.source && this.lost("The stream has ended.");
    for (const type of TYPES) {
      source.addEventListener(type, event => {
        this.position = Number(event.lastEventId);
        this.came(JSON.parse(event.data));
      });
    }
  }

  /** @param {string} reason */
  lost(reason) {
    if (this.isLive || !this.lostAt) this.lostAt = performance.now();
    this.close();
    this.reason = reason;
    this.next = setTimeout(() => this.connect(), WAIT_MS);
    this.update();
  }

  says() {
    if (this.isPaused) return html`<p class="state warn" role="status">paused</p>`;
    if (this.isLive) return html`<p class="state good" role="status">live</p>`;
    const since = this.lostAt ? duration((performance.now() - this.lostAt) / 1000) : "";
    return this.reason
      ? html`<p class="state bad" role="status">not connected for ${since}, tries again. ${this.reason}</p>`
      : html`<p class="state quiet" role="status">connecting</p>`;
  }
}
