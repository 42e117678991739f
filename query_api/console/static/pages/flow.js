/** The way of an event as a picture: writers, log, relay, topic, projections, readers. */

import {nothing, svg} from "../vendor/lit-html.js";
import {count, duration, rate, ratio, words} from "../format.js";
import {ofAll, ofProjection, ofRelay} from "./verdict.js";

/** @typedef {{x: number, y: number, w: number, h: number}} Box */

const ROW = 46;
const ROW_GAP = 8;
const BOX = 66;
const WIDTHS = {writers: 96, log: 150, relay: 150, topic: 130, projections: 268, readers: 132};
const WIDE = Object.values(WIDTHS).reduce((sum, width) => sum + width) + 5 * 26;

/** @param {any} status @param {number} width in pixels: texts keep their size @param {number | null} pace events per second */
export function flow(status, width, pace) {
  const places = width >= WIDE ? wide(status, width) : narrow(status, width);
  return svg`
    <svg class="flow" viewBox=${`0 0 ${width} ${places.height}`} role="img" aria-label=${spoken(status)}>
      ${pipes(status, places, pace)}
      ${nodes(status, pace).map((node, index) => drawn(node, places.boxes[index]))}
      ${status.projections.map((/** @type {any} */ one, /** @type {number} */ index) => projection(one, places.rows[index]))}
    </svg>`;
}

/** @param {any} status */
const spoken = status =>
  `Events go from writers to the log, the relay, the topic, ${status.projections.length} projections and readers. ` +
  `${ofAll(status).heading}. The table below has the figures.`;

/** @param {any} status @param {number | null} pace */
function nodes(status, pace) {
  const {log, relay, cache, search} = status;
  const relaySays = ofRelay(relay);
  const searchTone = !search || search.state === "following" ? "good" : search.state === "behind" ? "warn" : "bad";
  return [
    {tone: "plain", name: "Writers", lines: ["commands"]},
    {tone: log ? "good" : "quiet", name: "Log", lines: [log ? `position ${count(log.position)}` : "not told", pace === null ? "" : `${rate(pace)} events/s`]},
    {tone: relaySays.tone, name: "Relay", lines: [relaySays.says, relay ? waitingText(relay) : ""]},
    {tone: "plain", name: "Topic", lines: ["products-events", relay ? `up to ${count(relay.position)}` : ""]},
    {tone: searchTone, name: "Readers", lines: [cache ? `cache ${ratio(cache.hit_ratio)}` : "", cache ? `${rate(cache.reads_per_second)} reads/s` : ""]},
  ];
}

/** @param {any} one with lags */
function waitingText(one) {
  if (one.lag_events === null || one.lag_events === undefined) return "lag unknown";
  if (one.lag_events === 0) return "nothing waits";
  return `${count(one.lag_events)} wait, ${duration(one.lag_seconds)}`;
}

/** All beside each other. @param {any} status @param {number} width */
function wide(status, width) {
  const gap = (width - (WIDE - 5 * 26)) / 5;
  const rowsHeight = Math.max(1, status.projections.length) * (ROW + ROW_GAP) - ROW_GAP;
  const height = Math.max(rowsHeight, BOX) + 4;
  const middle = height / 2 - BOX / 2;
  let x = 0;
  /** @param {number} w */
  const next = w => {
    const box = {x: x + 1, y: middle, w: w - 2, h: BOX};
    x += w + gap;
    return box;
  };
  const [writers, log, relay, topic] = [WIDTHS.writers, WIDTHS.log, WIDTHS.relay, WIDTHS.topic].map(next);
  const column = next(WIDTHS.projections);
  const readers = next(WIDTHS.readers);
  const top = height / 2 - rowsHeight / 2;
  const rows = status.projections.map((/** @type {any} */ _, /** @type {number} */ i) => ({...column, y: top + i * (ROW + ROW_GAP), h: ROW}));
  return {height, boxes: [writers, log, relay, topic, readers], rows, isWide: true};
}

/** One below the other. @param {any} status @param {number} width */
function narrow(status, width) {
  const gap = 26;
  const inset = 22;
  /** @param {number} index */
  const box = index => ({x: 1, y: 1 + index * (BOX + gap), w: width - 2, h: BOX});
  const boxes = [0, 1, 2, 3].map(box);
  const top = boxes[3].y + BOX + gap;
  const rows = status.projections.map((/** @type {any} */ _, /** @type {number} */ i) => ({x: inset, y: top + i * (ROW + ROW_GAP), w: width - inset - 1, h: ROW}));
  const bottom = top + rows.length * (ROW + ROW_GAP) - ROW_GAP + gap;
  return {height: bottom + BOX + 2, boxes: [...boxes, {x: 1, y: bottom, w: width - 2, h: BOX}], rows, isWide: false};
}

/** @param {any} node @param {Box} box */
function drawn(node, box) {
  const lines = node.lines.filter(Boolean);
  const isLow = box.w > 300; // one below the other: texts beside the name
  return svg`
    <g class=${`node ${node.tone}`}>
      <rect class="box" x=${box.x} y=${box.y} width=${box.w} height=${box.h} rx="9"></rect>
      <text class="name" x=${box.x + 14} y=${box.y + (isLow ? box.h / 2 + 5 : 22)}>${node.name}</text>
      ${lines.map((/** @type {string} */ line, /** @type {number} */ index) => svg`
        <text class=${`detail ${index ? "" : "says"}`} text-anchor=${isLow ? "end" : "start"} x=${isLow ? box.x + box.w - 14 : box.x + 14}
          y=${isLow ? box.y + box.h / 2 + 5 + (index - (lines.length - 1) / 2) * 17 : box.y + 40 + index * 17}>${line}</text>`)}
    </g>`;
}

/** @param {any} one @param {Box} box */
function projection(one, box) {
  const {tone, says} = ofProjection(one);
  const isCalm = tone === "good";
  const parked = one.parked_products ? `${count(one.parked_products)} parked` : "";
  const pace = one.events_per_second ? `${rate(one.events_per_second)}/s` : "";
  return svg`
    <g class=${`node ${tone}`}>
      <rect class="box" x=${box.x} y=${box.y} width=${box.w} height=${box.h} rx="8"></rect>
      <circle class="mark" cx=${box.x + 17} cy=${box.y + 17} r="5"></circle>
      <text class="name" x=${box.x + 30} y=${box.y + 21}>${words(one.projection)}</text>
      <text class="detail says" text-anchor="end" x=${box.x + box.w - 12} y=${box.y + 21}>${isCalm ? pace : says}</text>
      <text class="detail" x=${box.x + 30} y=${box.y + 37}>${waitingText(one)}</text>
      ${parked ? svg`<text class="detail" text-anchor="end" x=${box.x + box.w - 12} y=${box.y + 37}>${parked}</text>` : nothing}
    </g>`;
}

/** @param {any} status @param {any} places @param {number | null} pace */
function pipes(status, {boxes, rows, isWide}, pace) {
  const [writers, log, relay, topic, readers] = boxes;
  const line = isWide ? across : down;
  const published = ofRelay(status.relay).tone === "bad" ? "stuck" : "";
  return [
    pipe(line(writers, log), pace, ""),
    pipe(line(log, relay), pace, ""),
    pipe(line(relay, topic), pace, published),
    ...rows.flatMap((/** @type {Box} */ row, /** @type {number} */ index) => {
      const one = status.projections[index];
      const stuck = ofProjection(one).tone === "bad" ? "stuck" : "";
      const into = isWide ? across(topic, row) : aside(topic, row);
      const pieces = [pipe(into, one.events_per_second ?? null, stuck)];
      return isWide ? [...pieces, pipe(across(row, readers), null, "")] : pieces;
    }),
    isWide || !rows.length ? nothing : pipe(down(rows.at(-1), {...readers, x: rows.at(-1).x, w: rows.at(-1).w}), null, ""),
  ];
}

/** @param {string} path @param {number | null} pace @param {string} more */
function pipe(path, pace, more) {
  const moves = !more && pace ? `flowing${pace > 100 ? " fast" : ""}` : "";
  return svg`<path class=${`pipe ${more}`} d=${path}></path><path class=${`stream ${moves}`} d=${path}></path>`;
}

/** @param {Box} a @param {Box} b */
function across(a, b) {
  const [x, y, u, v] = [a.x + a.w, a.y + a.h / 2, b.x, b.y + b.h / 2];
  const half = (x + u) / 2;
  return `M${x} ${y}C${half} ${y} ${half} ${v} ${u} ${v}`;
}

/** @param {Box} a @param {Box} b */
const down = (a, b) => `M${b.x + b.w / 2} ${a.y + a.h}V${b.y}`;

/** From the left side of the topic to a row. @param {Box} a @param {Box} b */
const aside = (a, b) => `M${a.x + 10} ${a.y + a.h}V${b.y + b.h / 2 - 8}q0 8 8 8H${b.x}`;
