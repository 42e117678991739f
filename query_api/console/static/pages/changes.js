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
  const whole = typeof value === "string" ? value : isMoney(value) ? `${value.amount} ${value.currency}` : JSON.stringify(value);
  return whole.length > CHARACTERS_SHOWN ? `${whole.slice(0, CHARACTERS_SHOWN)} …` : whole;
}

/** @param {any} value */
const isMoney = value => typeof value === "object" && Object.keys(value).sort().join() === "amount,currency";
