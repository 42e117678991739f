/** Numbers, times and durations as people read them. */

const number = new Intl.NumberFormat("en", {maximumFractionDigits: 0});
const oneDigit = new Intl.NumberFormat("en", {maximumFractionDigits: 1});
const percent = new Intl.NumberFormat("en", {style: "percent", maximumFractionDigits: 1});
export const NONE = "–";

/** @param {number | null | undefined} value */
export const count = value => (value === null || value === undefined ? NONE : number.format(value));

/** Below 10 with a digit after the point. @param {number | null | undefined} value */
export function rate(value) {
  if (value === null || value === undefined) return NONE;
  return value < 10 ? oneDigit.format(value) : number.format(value);
}

/** @param {number | null | undefined} value of 0 to 1 */
export const ratio = value => (value === null || value === undefined ? NONE : percent.format(value));

/** `0.3 s`, `42 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`. @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  const whole = Math.max(0, seconds);
  if (whole < 10) return `${oneDigit.format(whole)} s`;
  if (whole < 60) return `${Math.round(whole)} s`;
  if (whole < 3600) return two(whole, 60, "min", 1, "s");
  if (whole < 86400) return two(whole, 3600, "h", 60, "min");
  return two(whole, 86400, "d", 3600, "h");
}

/** @param {number} seconds @param {number} large @param {string} a @param {number} small @param {string} b */
function two(seconds, large, a, small, b) {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${a}${rest ? ` ${rest} ${b}` : ""}`;
}

const clock = new Intl.DateTimeFormat("en-GB", {hour: "2-digit", minute: "2-digit", second: "2-digit"});
const day = new Intl.DateTimeFormat("en-GB", {day: "numeric", month: "short", year: "numeric"});

/** `14:03:09`, in the zone of this browser. @param {Date | number} time */
export const timeOfDay = time => clock.format(time);

/** `3 Dec 2026`. @param {Date | number} time */
export const dayOf = time => day.format(time);

/** Day and time. @param {string | null | undefined} text RFC 3339 */
export function moment(text) {
  if (!text) return NONE;
  const time = new Date(text);
  return `${day.format(time)}, ${clock.format(time)}`;
}

/** How long ago. @param {string | null | undefined} text RFC 3339 */
export function ago(text) {
  return text ? `${duration((Date.now() - Date.parse(text)) / 1000)} ago` : NONE;
}

/** @param {{amount: string, currency: string} | null | undefined} price */
export const money = price => (price ? `${price.amount} ${price.currency}` : NONE);

/** The name of a projection or an event as words. @param {string} name */
export const words = name => name.replaceAll(/[_-]/g, " ");

/** A plural by its number. @param {number} n @param {string} one @param {string} [many] */
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
