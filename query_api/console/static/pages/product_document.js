/** A product as a document: facts, variants, and the JSON as the API answers it. */

import {html, nothing} from "../vendor/lit-html.js";
import {moment, money, NONE} from "../format.js";
import {state} from "../parts.js";
import {to} from "../places.js";

/** @param {any} product */
export const document_ = product => html`
  <div class="grid">
    <section class="card">
      <h2>Document</h2>
      <dl class="facts">
        <dt>Status</dt><dd>${state(product.status)}</dd>
        <dt>Name</dt><dd>${product.name}</dd>
        <dt>Brand</dt><dd>${chosen("brand", product.brand)}</dd>
        <dt>Category</dt><dd>${chosen("category", product.category)}</dd>
        <dt>Type</dt><dd>${product.product_type ?? NONE}</dd>
        <dt>Tags</dt><dd>${product.tags.length ? product.tags.map((/** @type {string} */ tag) => html`${chosen("tag", tag)} `) : NONE}</dd>
        <dt>Created</dt><dd>${moment(product.created_at)}</dd>
        <dt>Changed</dt><dd>${moment(product.updated_at)}</dd>
        <dt>Published</dt><dd>${moment(product.published_at)}</dd>
        ${Object.entries(product.attributes).map(([name, value]) => html`<dt>${name}</dt><dd>${typeof value === "object" ? JSON.stringify(value) : String(value)}</dd>`)}
      </dl>
    </section>
    <section class="card">
      <h2>Description and images</h2>
      <p class="text" tabindex="0">${product.description ?? NONE}</p>
      ${product.images.length ? html`<ul class="chips">${product.images.map(image)}</ul>` : nothing}
      <details><summary>JSON of version ${product.version}</summary><pre tabindex="0">${JSON.stringify(product, null, 2)}</pre></details>
    </section>
  </div>
  <section class="card">
    <h2>Variants</h2>
    <table class="rows">
      <thead><tr><th>SKU</th><th>Options</th><th class="number">Price</th><th class="number">Before</th><th>Barcode</th><th class="number">Weight</th></tr></thead>
      <tbody>${product.variants.map(variant)}</tbody>
    </table>
  </section>`;

/** @param {string} name @param {string | null} value */
const chosen = (name, value) => (value ? html`<a href=${to("search", {[name]: value})}>${value}</a>` : NONE);

/** Pictures are of other hosts, so they are linked and not shown. @param {any} one */
const image = one =>
  /^https?:/i.test(one.url) ? html`<li><a href=${one.url} rel="noreferrer noopener" target="_blank">${one.alt || one.url}</a></li>` : html`<li>${one.url}</li>`;

/** @param {any} one */
const variant = one => html`
  <tr>
    <td class="title mono">${one.sku}</td>
    <td data-name="Options">${Object.entries(one.options).map(([name, value]) => `${name}: ${value}`).join(", ") || NONE}</td>
    <td class="number" data-name="Price">${money(one.price)}</td>
    <td class="number" data-name="Before">${money(one.compare_at_price)}</td>
    <td data-name="Barcode">${one.barcode ?? NONE}</td>
    <td class="number" data-name="Weight">${one.weight_grams === null ? NONE : `${one.weight_grams} g`}</td>
  </tr>`;
