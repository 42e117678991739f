/** What else could be chosen, with counts; and what is chosen, as chips that take it away. */

import {html, nothing} from "../vendor/lit-html.js";
import {count} from "../format.js";

/** @typedef {import("../places.js").Parameters} Parameters */
/** @typedef {(changed: Parameters) => void} Choose */

const NAMES = {status: "Status", brand: "Brand", category: "Category", price: "Price", tag: "Tag"};
const CHIPS = ["brand", "category", "tag", "status", "price_min", "price_max", "currency", "sku"];
const VALUES_SHOWN = 30;

/** @param {Parameters} parameters @param {Choose} choose */
export function chips(parameters, choose) {
  const chosen = CHIPS.filter(name => parameters[name]);
  if (!chosen.length) return nothing;
  return html`
    <ul class="chips" aria-label="Chosen filters">
      ${chosen.map(name => html`<li>
        <button type="button" class="chip" aria-label=${`Remove the filter ${name} ${parameters[name]}`}
          @click=${() => choose(without(name, parameters))}>${name.replace("_", " ")}: ${parameters[name]} ✕</button></li>`)}
      ${chosen.length > 1 ? html`<li><button type="button" class="link" @click=${() => choose(Object.fromEntries(CHIPS.map(name => [name, ""])))}>Remove all</button></li>` : nothing}
    </ul>`;
}

/** Prices need their currency. @param {string} name @param {Parameters} parameters @returns {Parameters} */
function without(name, parameters) {
  const isNeeded = name === "currency" && (parameters.price_min || parameters.price_max || parameters.sort?.endsWith("price"));
  return isNeeded ? {currency: "", price_min: "", price_max: "", sort: ""} : {[name]: ""};
}

/** @param {Record<string, any[]>} found @param {Parameters} parameters @param {Choose} choose */
export const facets = (found, parameters, choose) =>
  Object.keys(NAMES).filter(name => found[name]?.length).map(name => html`
    <div class="facet">
      <h2>${NAMES[name]}</h2>
      ${name === "price" ? ranges(found.price, parameters, choose) : values(name, found[name], parameters, choose)}
    </div>`);

/** @param {string} name @param {any[]} all @param {Parameters} parameters @param {Choose} choose @returns {unknown} */
const values = (name, all, parameters, choose) => html`
  <ul>${all.slice(0, VALUES_SHOWN).map(one => html`<li>
    ${option(shortened(name, one.value), one.count, parameters[name] === one.value, isOn => choose({[name]: isOn ? "" : one.value}))}
    ${isOpen(one, parameters[name]) ? values(name, one.children, parameters, choose) : nothing}</li>`)}
  </ul>`;

/** A category opens when it, or one below it, is chosen. @param {any} one @param {string | undefined} chosen */
const isOpen = (one, chosen) => one.children?.length && chosen && (chosen === one.value || chosen.startsWith(`${one.value}/`));

/** @param {string} name @param {string} value */
const shortened = (name, value) => (name === "category" ? value.slice(value.lastIndexOf("/") + 1) : value);

/** @param {any[]} all @param {Parameters} parameters @param {Choose} choose */
const ranges = (all, parameters, choose) => html`
  <ul>${all.map(({min, max, count: number}) => {
    const isChosen = parameters.price_min === min && (parameters.price_max ?? "") === (max ?? "");
    const text = max === null ? `from ${min}` : `${min} to ${max}`;
    return html`<li>${option(text, number, isChosen, isOn => choose(isOn ? {price_min: "", price_max: ""} : {price_min: min, price_max: max ?? ""}))}</li>`;
  })}</ul>`;

/** @param {string} text @param {number} number @param {boolean} isOn @param {(isOn: boolean) => void} press */
const option = (text, number, isOn, press) => html`
  <button type="button" aria-pressed=${isOn} @click=${() => press(isOn)}><span>${text}</span><span class="of">${count(number)}</span></button>`;
