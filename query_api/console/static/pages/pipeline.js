/** The first page: where events are on their way, how long the oldest has waited, and what stands still. */

import {html, nothing} from "../vendor/lit-html.js";
import {ApiProblem, read} from "../api.js";
import {LineChart} from "../charts.js";
import {count, duration, plural, rate, ratio, timeOfDay, words} from "../format.js";
import {copyable, notice, refusal, waiting} from "../parts.js";
import {to} from "../places.js";
import {flow} from "./flow.js";
import {Samples} from "./samples.js";
import {ofAll, ofProjection, ofRelay} from "./verdict.js";

const POLL_MS = 1000;
/** Figures that are older look like figures of the past. */
const FRESH_MS = 3500;
const WIDTH_MIN = 280;

/** @type {import("../app.js").OpenPage} */
export function open(_, update) {
  const page = new Pipeline(update);
  page.start();
  return page;
}

class Pipeline {
  /** @param {() => void} update */
  constructor(update) {
    this.update = update;
    /** @type {any} */
    this.status = null;
    /** @type {unknown} */
    this.problem = null;
    this.measuredAt = "";
    /** When it was learned, by a clock that nobody sets; and for people. */
    this.learned = {clock: 0, time: 0};
    this.width = 0;
    this.samples = new Samples();
    this.leaving = new AbortController();
    this.charts = {
      pace: new LineChart({label: "Events per second", format: rate, most: 1}),
      oldest: new LineChart({label: "Age of the oldest waiting event", format: duration, most: 1}),
      hits: new LineChart({label: "Reads that the cache answered", format: ratio, most: 0.9}),
    };
    this.sizes = new ResizeObserver(([entry]) => this.resized(entry.contentRect.width));
    this.picture = document.createElement("div"); // measured, so that the texts of the picture keep their size
    this.sizes.observe(this.picture);
  }

  start() {
    const {signal} = this.leaving;
    document.addEventListener("visibilitychange", () => this.poll(), {signal});
    this.poll();
    this.clock = setInterval(() => document.hidden || this.update(), POLL_MS);
    this.samples.begin(signal).then(() => this.draw(), () => undefined);
  }

  close() {
    this.leaving.abort();
    clearTimeout(this.next);
    clearInterval(this.clock);
    this.sizes.disconnect();
    Object.values(this.charts).forEach(chart => chart.close());
  }

  /** Once a second, one at a time, and not while nobody looks. */
  async poll() {
    clearTimeout(this.next);
    if (document.hidden || this.isAsking) return;
    this.isAsking = true;
    try {
      this.learn(await read("v1/status", {}, this.leaving.signal));
    } catch (error) {
      if (this.leaving.signal.aborted) return;
      if (!(error instanceof ApiProblem)) throw error;
      this.problem = error;
    } finally {
      this.isAsking = false;
    }
    this.draw();
    this.next = setTimeout(() => this.poll(), POLL_MS);
  }

  /** @param {any} status */
  learn(status) {
    this.problem = null;
    this.status = status;
    if (status.measured_at && status.measured_at === this.measuredAt) return; // an old document, sent again
    this.measuredAt = status.measured_at ?? "";
    this.learned = {clock: performance.now(), time: Date.now()};
    this.samples.add(status);
  }

  /** @param {number} width */
  resized(width) {
    this.width = Math.max(WIDTH_MIN, Math.floor(width));
    this.update();
  }

  draw() {
    const {times, pace, oldest, hits} = this.samples.series();
    this.charts.pace.show(times, [{name: "events/s", values: pace}]);
    this.charts.oldest.show(times, oldest);
    this.charts.hits.show(times, [{name: "from the cache", values: hits}]);
    this.update();
  }

  view() {
    return html`
      <div class="head"><h1>Pipeline</h1>${this.freshness()}</div>
      ${this.status ? this.all() : this.problem ? refusal(this.problem) : waiting()}`;
  }

  get isStale() {
    return performance.now() - this.learned.clock > FRESH_MS;
  }

  freshness() {
    if (!this.status) return nothing;
    const time = timeOfDay(this.learned.time);
    if (!this.isStale) return html`<p class="soft">As of ${time}, once a second</p>`;
    return html`<p class="state warn">Old figures, of ${time}</p>`;
  }

  all() {
    const {status} = this;
    return html`
      <div class=${this.isStale ? "stack stale" : "stack"} data-fresh=${!this.isStale}>
        ${this.isStale ? this.staleness() : this.verdict()}
        <div class="stack dims">
          ${this.figures()}
          <section class="card" aria-label="The way of an event">${this.picture}${this.drawPicture()}</section>
          <div class="grid">
            ${this.chart("Events per second", this.charts.pace)}
            ${this.chart("Age of the oldest waiting event", this.charts.oldest)}
            ${this.chart("Reads that the cache answered", this.charts.hits)}
          </div>
          ${projections(status.projections)}
          ${rebuilds(status.rebuilds ?? [])}
        </div>
      </div>`;
  }

  staleness() {
    const since = `${timeOfDay(this.learned.time)}, ${duration((performance.now() - this.learned.clock) / 1000)} ago`;
    const why = this.problem instanceof ApiProblem ? this.problem.message || this.problem.problem.title : "The status does not change.";
    return html`${notice("bad", `These figures are old: they are of ${since}`, why)}`;
  }

  verdict() {
    const {tone, heading, lines} = ofAll(this.status);
    return html`
      <div class=${`notice ${tone}`} role="status">
        <strong>${heading}</strong>
        ${lines.length ? html`<ul>${lines.map(line => html`<li>
          ${line.text} ${line.page ? html`<a href=${to(line.page)}>Dead letters</a>` : nothing}
          ${line.command ? copyable(line.command, "the command") : nothing}</li>`)}</ul>` : nothing}
      </div>`;
  }

  figures() {
    const {log, relay, cache, search, projections: all} = this.status;
    const parked = all.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.parked_products, 0);
    const events = all.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.parked_events, 0);
    const oldest = oldestOf(all);
    const relaySays = ofRelay(relay);
    return html`
      <dl class="figures">
        ${figure("Log position", count(log?.position), log ? `${rate(log.events_per_second)} events/s` : "not told")}
        ${figure("Relay", relaySays.says, relay ? lagText(relay) : "not told", relaySays.tone)}
        ${figure("Oldest waiting event", duration(oldest.seconds), oldest.name, oldest.tone)}
        ${figure("Parked products", count(parked), parked || events ? plural(events, "event") : "none", parked || events ? "warn" : "")}
        ${figure("Cache hits", ratio(cache?.hit_ratio), cache ? `${rate(cache.reads_per_second)} reads/s` : "not told")}
        ${figure("Search index", search ? search.state : "off", searchText(search), search?.state === "missing" ? "bad" : search?.state === "behind" ? "warn" : "")}
      </dl>`;
  }

  drawPicture() {
    if (!this.width) return nothing;
    const pace = this.status.log?.events_per_second ?? null;
    return flow(this.status, this.width, pace);
  }

  /** @param {string} title @param {LineChart} chart */
  chart(title, chart) {
    return html`<figure class="card"><h2>${title}</h2>${chart.element}</figure>`;
  }
}

/** @param {string} name @param {string} value @param {string} note @param {string} [tone] */
const figure = (name, value, note, tone = "") => html`
  <div class=${`figure ${tone}`}><dt>${name}</dt><dd>${value}</dd><dd class="note">${note}</dd></div>`;

/** @param {any} one */
const lagText = one => (one.lag_events ? `${plural(one.lag_events, "event")}, ${duration(one.lag_seconds)}` : one.lag_events === 0 ? "nothing waits" : "lag unknown");

/** @param {any} search */
function searchText(search) {
  if (!search) return "searches are refused";
  if (search.is_rebuilding) return `${search.engine}, is rebuilt`;
  return search.lag_states ? `lacks ${plural(search.lag_states, "product")}` : search.engine;
}

/** The projection whose oldest event has waited longest; unknown if one does not tell. @param {any[]} all */
function oldestOf(all) {
  const unknown = all.filter(one => one.lag_seconds === null);
  if (unknown.length) return {seconds: null, name: `unknown in ${unknown.length}`, tone: "bad"};
  const worst = all.reduce((most, one) => (one.lag_seconds > (most?.lag_seconds ?? -1) ? one : most), null);
  if (!worst?.lag_seconds) return {seconds: 0, name: "nothing waits", tone: ""};
  return {seconds: worst.lag_seconds, name: `in ${words(worst.projection)}`, tone: ofProjection(worst).says === "late" ? "warn" : ""};
}

/** @param {any[]} all */
const projections = all => html`
  <section class="card">
    <h2>Projections</h2>
    <table class="rows">
      <thead><tr>
        <th>Projection</th><th>State</th><th class="number">Position</th><th class="number">Events/s</th>
        <th class="number">Waiting</th><th class="number">Oldest</th><th class="number">Parked</th><th class="number">Last report</th>
      </tr></thead>
      <tbody>
        ${all.map(one => {
          const {tone, says} = ofProjection(one);
          const parked = one.parked_events ? html`<a href=${to("dead-letters", {projection: one.projection})}>${plural(one.parked_products, "product")}, ${plural(one.parked_events, "event")}</a>` : "0";
          return html`<tr>
            <td class="title">${words(one.projection)}</td>
            <td data-name="State"><span class=${`state ${tone}`}>${says}</span></td>
            <td class="number" data-name="Position">${count(one.position)}</td>
            <td class="number" data-name="Events/s">${rate(one.events_per_second)}</td>
            <td class="number" data-name="Waiting">${count(one.lag_events)}</td>
            <td class="number" data-name="Oldest">${duration(one.lag_seconds)}</td>
            <td class="number" data-name="Parked">${parked}</td>
            <td class="number" data-name="Last report">${one.reported_seconds_ago === undefined ? "–" : html`${duration(one.reported_seconds_ago)} ago`}</td>
          </tr>`;
        })}
      </tbody>
    </table>
  </section>`;

/** @param {any[]} all */
const rebuilds = all => all.length === 0 ? nothing : html`
  <section class="card">
    <h2>Rebuilds</h2>
    ${all.map(one => {
      const share = one.total_events ? Math.min(1, one.done_events / one.total_events) : 0;
      const left = one.seconds_left === null ? "" : `, about ${duration(one.seconds_left)} left`;
      return html`<p>${words(one.projection)}: ${words(String(one.state))}, ${count(one.done_events)} of ${count(one.total_events)} events${left}</p>
        <progress max="1" value=${share} aria-label=${`Rebuild of ${words(one.projection)}`}></progress>`;
    })}
  </section>`;
