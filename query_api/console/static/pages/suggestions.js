/** What the text may become: products, brands and categories that begin like it. */

import {html, nothing} from "../vendor/lit-html.js";
import {count} from "../format.js";
import {to} from "../places.js";

/** @param {any} found of `/v1/products/suggest` @param {(changed: import("../places.js").Parameters) => void} choose */
export function suggestions(found, choose) {
  if (!found.products.length && !found.brands.length && !found.categories.length) return nothing;
  return html`
    <ul class="chips" aria-label="Suggestions">
      ${found.products.map((/** @type {any} */ one) => html`<li><a href=${to("product", {key: one.id})}>${one.name}</a></li>`)}
      ${["brand", "category"].flatMap(name => found[name === "brand" ? "brands" : "categories"].map((/** @type {any} */ one) => html`<li>
        <button type="button" class="chip" @click=${() => choose({q: "", [name]: one.value})}>${name}: ${one.value} (${count(one.count)})</button></li>`))}
    </ul>`;
}
