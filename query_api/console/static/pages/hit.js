/** One product of a list, and why it is where it is. */

import {html, nothing} from "../vendor/lit-html.js";
import {money, plural} from "../format.js";
import {state} from "../parts.js";
import {to} from "../places.js";

const TIERS = {sku: "SKU", name: "name", brand: "brand", tags: "tags", description: "description"};
const SKUS_SHOWN = 5;

/**
 * @param {any} product
 * @param {{tier: string | null, skus: string[]} | undefined} match
 * @param {string | undefined} currency that was asked for
 */
export const hit = (product, match, currency) => html`
  <li class="hit">
    <span><a href=${to("product", {key: product.id})}>${product.name}</a></span>
    <span class="price">${prices(product.variants, currency)}</span>
    <span class="why">
      ${state(product.status)}
      ${product.brand ? html`<span>${product.brand}</span>` : nothing}
      ${product.category ? html`<span>${product.category}</span>` : nothing}
      <span>${plural(product.variants.length, "variant")}</span>
      ${match?.tier ? html`<span class="badge accent">words in ${TIERS[match.tier] ?? match.tier}</span>` : nothing}
      ${meant(match?.skus ?? [], product.variants.length)}
    </span>
  </li>`;

/** The variants that match, unless all do. @param {string[]} skus @param {number} all */
const meant = (skus, all) => skus.length === all && all > 1 ? nothing : html`
  ${skus.slice(0, SKUS_SHOWN).map(sku => html`<span class="badge">${sku}</span>`)}
  ${skus.length > SKUS_SHOWN ? html`<span>and ${skus.length - SKUS_SHOWN} more</span>` : nothing}`;

/** From the lowest to the highest, in one currency. @param {any[]} variants @param {string} [wanted] */
function prices(variants, wanted) {
  const currency = wanted || variants[0].price.currency;
  const amounts = variants.filter(one => one.price.currency === currency).map(one => one.price.amount);
  const sorted = amounts.sort((a, b) => Number(a) - Number(b));
  if (!sorted.length) return nothing;
  const [low, high] = [sorted[0], sorted.at(-1)];
  return low === high ? money({amount: low, currency}) : `${low} to ${high} ${currency}`;
}
