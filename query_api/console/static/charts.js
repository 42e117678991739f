/** Small line charts over time, drawn by uPlot, which is loaded when the first one is shown. */

import {dayOf, timeOfDay} from "./format.js";

/** @typedef {{name: string, values: (number | null)[]}} Series */

/** @type {Promise<any> | undefined} */
let library;

/** Its release file is a plain script that makes one global name. */
function uPlotLibrary() {
  library ??= new Promise((resolve, reject) => {
    const style = Object.assign(document.createElement("link"), {
      rel: "stylesheet",
      href: new URL("vendor/uPlot.min.css", import.meta.url).href,
    });
    const script = Object.assign(document.createElement("script"), {
      src: new URL("vendor/uPlot.iife.min.js", import.meta.url).href,
      onload: () => resolve(/** @type {any} */ (globalThis).uPlot),
      onerror: reject,
    });
    document.head.append(style, script);
  });
  return library;
}

const COLOURS = 8;
const HEIGHT = 150;

/** A chart in an element of its own: `show` as often as there is news, `close` at the end. */
export class LineChart {
  /**
   * @param {{label: string, format: (value: number) => string, isStepped?: boolean, most?: number}} options
   *   `most`: the scale begins at 0 and goes up to this at least, so that small noise is no mountain
   */
  constructor(options) {
    this.options = options;
    this.element = document.createElement("div");
    this.element.className = "chart";
    this.element.setAttribute("role", "img");
    this.plot = null;
    /** @type {number[]} */
    this.times = [];
    /** @type {Series[]} */
    this.series = [];
    this.names = "";
    this.width = 0;
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(this.element);
    this.anew = () => this.draw(true);
    addEventListener("theme", this.anew);
  }

  /** @param {number[]} times in seconds since 1970 @param {Series[]} series */
  show(times, series) {
    this.times = times;
    this.series = series;
    const last = series.map(one => `${one.name} ${this.text(one.values.at(-1))}`).join(", ");
    this.element.setAttribute("aria-label", `${this.options.label}. At the end: ${last || "nothing yet"}.`);
    this.draw(false);
  }

  close() {
    this.sizes.disconnect();
    removeEventListener("theme", this.anew);
    this.plot?.destroy();
  }

  /** @param {number | null | undefined} value */
  text(value) {
    return value === null || value === undefined ? "–" : this.options.format(value);
  }

  /** With seconds in a short span, as a day in a long one. @param {number} seconds */
  time(seconds) {
    const span = (this.times.at(-1) ?? 0) - (this.times[0] ?? 0);
    if (span > 2 * 86400) return dayOf(seconds * 1000);
    return span < 240 ? timeOfDay(seconds * 1000) : timeOfDay(seconds * 1000).slice(0, 5);
  }

  resized() {
    const width = Math.floor(this.element.clientWidth);
    if (width === 0 || width === this.width) return;
    this.width = width;
    if (this.plot) this.plot.setSize({width, height: HEIGHT});
    else this.draw(false);
  }

  /** @param {boolean} isAnew with other colours */
  async draw(isAnew) {
    const uPlot = await uPlotLibrary();
    if (!this.width || !this.element.isConnected) return;
    const names = this.series.map(one => one.name).join("\n");
    const data = [this.times, ...this.series.map(one => one.values)];
    if (this.plot && names === this.names && !isAnew) {
      this.plot.setData(data);
      this.tellLast();
      return;
    }
    this.plot?.destroy();
    this.names = names;
    this.plot = new uPlot(this.drawing(uPlot), data, this.element);
  }

  /** While no pointer is on the chart, the legend has the last values. */
  tellLast(plot = this.plot) {
    if (plot.cursor.idx === null || plot.cursor.idx === undefined) {
      plot.setLegend({idx: this.times.length - 1}, false);
    }
  }

  /** @param {any} uPlot */
  drawing(uPlot) {
    const colour = colours(this.element);
    const axis = {stroke: colour("--soft"), font: "12px system-ui", ticks: {show: false}};
    const grid = {stroke: colour("--line"), width: 1};
    const {isStepped, most} = this.options;
    const range = (/** @type {any} */ _, /** @type {number} */ min, /** @type {number} */ max) =>
      most === undefined ? around(min, max) : [0, Math.max(most, max || 0) * 1.1];
    return {
      width: this.width,
      height: HEIGHT,
      cursor: {drag: {x: false, y: false}, points: {size: 6}},
      scales: {x: {time: true}, y: {range}},
      legend: {show: true},
      hooks: {ready: [(/** @type {any} */ plot) => this.tellLast(plot)]},
      axes: [
        {...axis, grid: {show: false}, size: 26, space: 86, values: (/** @type {any} */ _, /** @type {number[]} */ at) => at.map(time => this.time(time))},
        {...axis, grid, size: 62, space: 34, values: (/** @type {any} */ _, /** @type {number[]} */ at) => at.map(value => this.text(value))},
      ],
      series: [
        {},
        ...this.series.map((one, index) => ({
          label: one.name,
          stroke: colour(`--series-${(index % COLOURS) + 1}`),
          width: 2,
          dash: index >= COLOURS ? [5, 4] : undefined,
          paths: isStepped ? uPlot.paths.stepped({align: 1}) : undefined,
          points: {show: Boolean(isStepped)},
          spanGaps: false,
          value: (/** @type {any} */ _, /** @type {number} */ value) => this.text(value),
        })),
      ],
    };
  }
}

/** A line that never moves is in the middle. @param {number | null} min @param {number | null} max */
function around(min, max) {
  const [low, high] = [min ?? 0, max ?? 1];
  const room = (high - low || Math.abs(high) || 1) * 0.15;
  return [Math.max(0, low - room), high + room];
}

/** What a custom property is in the present theme: a canvas takes no `light-dark()`. @param {Element} element */
function colours(element) {
  const probe = document.createElement("span");
  element.append(probe);
  const found = new Map();
  queueMicrotask(() => probe.remove());
  return (/** @type {string} */ name) => {
    if (!found.has(name)) {
      probe.style.color = `var(${name})`;
      found.set(name, getComputedStyle(probe).color);
    }
    return found.get(name);
  };
}
