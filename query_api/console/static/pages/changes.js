/** Changed fields with what was before and after, as history and differences have them. */

import {html, nothing} from "../vendor/lit-html.js";

const CHARACTERS_SHOWN = 240;

/** @param {any[]} all */
export const changes = all => all.map(one => html`
  <p class="change">
    <strong>${one.field}</strong>${one.sku ? html`<span class="mono">${one.sku}</span>` : nothing}
    ${one.before === null || one.before === undefined ? nothing : html`<del>${text(one.before)}</del>`}
    ${one.after === null || one.after === undefined ? nothing : html`<ins>${text(one.after)}</ins>`}
  </p>`);

/** @param {any} value */
function text(value) {
  const whole = plain(value);
  return whole.length > CHARACTERS_SHOWN ? `${whole.slice(0, CHARACTERS_SHOWN)} …` : whole;
}

/** Money, lists and objects as somebody would say them. @param {any} value @returns {string} */
function plain(value) {
  if (value === null || typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.map(plain).join(", ") || "nothing";
  if (Object.keys(value).sort().join() === "amount,currency") return `${value.amount} ${value.currency}`;
  const given = Object.entries(value).filter(([, one]) => one !== null);
  return given.map(([name, one]) => `${name}: ${plain(one)}`).join(", ") || "nothing";
}
