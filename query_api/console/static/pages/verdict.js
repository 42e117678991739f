/** What the status means, in sentences. An unknown state must not look healthy. */

import {count, duration, plural, words} from "../format.js";

/** A projection reports once a second. Without a report for longer, nobody knows how it is. */
export const SILENT_SECONDS = 3;
const LATE_SECONDS = 10;

/**
 * @typedef {"good" | "warn" | "bad" | "quiet"} Tone
 * @typedef {{tone: Tone, says: string}} Verdict
 */

/** One projection. @param {any} one of `projections` in `/v1/status` @returns {Verdict} */
export function ofProjection(one) {
  const silent = one.reported_seconds_ago ?? 0;
  if (one.state === "stopped") return {tone: "bad", says: "stopped"};
  if (one.state === "paused") return {tone: "warn", says: "paused"};
  if (one.state === "unknown" || silent > SILENT_SECONDS) {
    return {tone: "bad", says: silent ? `silent for ${duration(silent)}` : "silent"};
  }
  if (one.state === "waiting") return {tone: "warn", says: "waits, tries again"};
  if (one.lag_seconds > LATE_SECONDS) return {tone: "warn", says: "late"};
  if (one.parked_products || one.parked_events) return {tone: "warn", says: "running, parked"};
  return {tone: "good", says: "running"};
}

/** @param {any} relay @returns {Verdict} */
export function ofRelay(relay) {
  if (!relay || relay.state === "unknown") return {tone: relay ? "bad" : "quiet", says: "unknown"};
  if (relay.state === "stopped") return {tone: "bad", says: "stopped"};
  if (relay.state === "waiting") return {tone: "warn", says: "waits, tries again"};
  if (relay.lag_seconds > LATE_SECONDS) return {tone: "warn", says: "late"};
  return {tone: "good", says: relay.state};
}

/**
 * All of it: the worst first.
 * @param {any} status
 * @returns {{tone: Tone, heading: string, lines: {text: string, page?: string, command?: string}[]}}
 */
export function ofAll(status) {
  const bad = [...relayIsBad(status.relay), ...projectionsAreBad(status.projections), ...searchIsBad(status.search)];
  const late = [...relayIsLate(status.relay), ...status.projections.flatMap(isLate), ...searchIsLate(status.search)];
  if (bad.length) return {tone: "bad", heading: bad[0].text, lines: [...bad.slice(1), ...late, ...commandOf(bad[0])]};
  if (late.length) return {tone: "warn", heading: late[0].text, lines: [...late.slice(1), ...commandOf(late[0])]};
  const longest = Math.max(0, ...status.projections.map((/** @type {any} */ one) => one.lag_seconds ?? 0));
  const waits = longest ? `the oldest waiting event is ${duration(longest)} old` : "nothing waits";
  const heading = status.projections.length ? `Everything runs, ${waits}` : "No projection has reported yet";
  return {tone: status.projections.length ? "good" : "quiet", heading, lines: []};
}

/** The heading's own link or command, as a line below it. @param {any} first */
const commandOf = first => (first.page || first.command ? [{...first, text: ""}] : []);

/** @param {any} relay */
function relayIsBad(relay) {
  const {tone, says} = ofRelay(relay);
  if (tone !== "bad") return [];
  return [{text: `The relay ${says === "stopped" ? "has stopped" : "does not report"}: new events are not published`}];
}

/** @param {any} relay */
function relayIsLate(relay) {
  const {tone, says} = ofRelay(relay);
  if (tone !== "warn") return [];
  const oldest = duration(relay.lag_seconds);
  return [{text: says === "late" ? `The relay is late: an event has waited for ${oldest}` : "The relay waits and tries again"}];
}

/** @param {any[]} projections */
function projectionsAreBad(projections) {
  const broken = projections.map(one => ({one, verdict: ofProjection(one)})).filter(({verdict}) => verdict.tone === "bad");
  const stopped = broken.filter(({one}) => one.state === "stopped");
  const silent = broken.filter(({one}) => one.state !== "stopped");
  const lines = stopped.map(({one}) => ({
    text: `The projection ${words(one.projection)} has stopped: an operator must act`,
    command: "python -m projector status",
  }));
  if (silent.length && silent.length === projections.length) {
    const longest = Math.max(...silent.map(({one}) => one.reported_seconds_ago ?? 0));
    const since = longest ? ` for ${duration(longest)}` : "";
    return [...lines, {text: `The projector is stopped or cut off: no projection has reported${since}`, command: "python -m projector run"}];
  }
  return [...lines, ...silent.map(({one, verdict}) => ({text: `The projection ${words(one.projection)} is ${verdict.says}`}))];
}

/** @param {any} one */
function isLate(one) {
  const name = words(one.projection);
  const lines = [];
  const {tone, says} = ofProjection(one);
  if (tone === "warn" && says !== "running, parked") {
    const oldest = one.lag_seconds ? `, the oldest event has waited for ${duration(one.lag_seconds)}` : "";
    lines.push({text: `The projection ${name} ${says === "late" || says === "paused" ? `is ${says}` : says}${oldest}`});
  }
  if (one.parked_products || one.parked_events) {
    const events = `${plural(one.parked_events, "event")} of ${plural(one.parked_products, "product")}`;
    const parked = one.parked_events === 1 ? "is" : "are";
    lines.push({text: `${events} ${parked} parked in ${name}`, page: "dead-letters"});
  }
  return lines;
}

/** @param {any} search */
function searchIsBad(search) {
  return search?.state === "missing" ? [{text: "The search index is missing: searches are refused"}] : [];
}

/** @param {any} search */
function searchIsLate(search) {
  if (search?.state !== "behind") return [];
  return [{text: `The search index is behind by ${duration(search.behind_seconds)} (${count(search.lag_states)} products)`}];
}
