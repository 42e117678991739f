/** One product of a list, and why it is where it is. */

import {html, nothing} from "../vendor/lit-html.js";
import {money, plural} from "../format.js";
import {state} from "../parts.js";
import {to} from "../places.js";

const TIERS = {sku: "SKU", name: "name", brand: "brand", tags: "tags", description: "description"};
const SKUS_SHOWN = 6;

/** @param {any} product @param {{tier: string | null, skus: string[]} | undefined} match */
export const hit = (product, match) => html`
  <li class="hit">
    <span><a href=${to("product", {key: product.id})}>${product.name}</a></span>
    <span class="price">${prices(product.variants)}</span>
    <span class="why">
      ${state(product.status)}
      ${product.brand ? html`<span>${product.brand}</span>` : nothing}
      ${product.category ? html`<span>${product.category}</span>` : nothing}
      <span>${plural(product.variants.length, "variant")}</span>
      ${match?.tier ? html`<span class="badge accent">words in ${TIERS[match.tier] ?? match.tier}</span>` : nothing}
      ${match?.skus.slice(0, SKUS_SHOWN).map(sku => html`<span class="badge">${sku}</span>`)}
      ${match && match.skus.length > SKUS_SHOWN ? html`<span>and ${match.skus.length - SKUS_SHOWN} more</span>` : nothing}
    </span>
  </li>`;

/** From the lowest to the highest, in the first currency. @param {any[]} variants */
function prices(variants) {
  const {currency} = variants[0].price;
  const amounts = variants.filter(one => one.price.currency === currency).map(one => one.price.amount);
  const sorted = amounts.sort((a, b) => Number(a) - Number(b));
  const [low, high] = [sorted[0], sorted.at(-1)];
  return low === high ? money({amount: low, currency}) : `${low} to ${high} ${currency}`;
}
