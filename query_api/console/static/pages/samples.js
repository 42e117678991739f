/** The last 15 minutes: those that the API kept until now, then what this page sees itself. */

import {ApiProblem, read} from "../api.js";
import {words} from "../format.js";

const INTERVAL_SECONDS = 5;
const KEPT = 180;

export class Samples {
  constructor() {
    /** @type {any[]} */
    this.kept = [];
  }

  /** @param {AbortSignal} signal */
  async begin(signal) {
    try {
      const {samples} = await read("v1/status/history", {}, signal);
      const first = this.kept[0]?.at ?? Infinity;
      const earlier = samples.map((/** @type {any} */ one) => ({...one, at: Date.parse(one.at) / 1000}));
      this.kept = [...earlier.filter((/** @type {any} */ one) => one.at < first), ...this.kept].slice(-KEPT);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error; // without the past, the charts begin now
    }
  }

  /** @param {any} status */
  add(status) {
    const at = (status.measured_at ? Date.parse(status.measured_at) : Date.now()) / 1000;
    if (at - (this.kept.at(-1)?.at ?? 0) < INTERVAL_SECONDS) return;
    const projections = status.projections.map((/** @type {any} */ one) => [one.projection, one]);
    this.kept.push({
      at,
      log_position: status.log?.position ?? null,
      cache_hit_ratio: status.cache?.hit_ratio ?? null,
      projections: Object.fromEntries(projections),
    });
    this.kept = this.kept.slice(-KEPT);
  }

  /** What charts draw: a value for each time; null where nothing is known. */
  series() {
    const {kept} = this;
    const names = Object.keys(kept.at(-1)?.projections ?? {});
    return {
      times: kept.map(one => one.at),
      pace: kept.map((one, index) => pace(kept[index - 1], one)),
      hits: kept.map(one => one.cache_hit_ratio ?? null),
      oldest: names.map(name => ({
        name: words(name),
        values: kept.map(one => one.projections[name]?.lag_seconds ?? null),
      })),
    };
  }
}

/** Events per second between two samples. @param {any} before @param {any} after */
function pace(before, after) {
  if (!before || before.log_position === null || after.log_position === null) return null;
  const seconds = after.at - before.at;
  return seconds > 0 ? Math.max(0, after.log_position - before.log_position) / seconds : null;
}
