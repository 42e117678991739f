/** The frame of all pages, and which page is shown. */

import {html, nothing, render} from "./vendor/lit-html.js";
import {notice} from "./parts.js";
import {place, to} from "./places.js";
import {applyTheme, switchTheme, theme} from "./theme.js";
import {keepToken, token} from "./token.js";

/**
 * @typedef {import("./places.js").Parameters} Parameters
 * @typedef {{view: () => unknown, go?: (parameters: Parameters) => void, close?: () => void}} Page
 * @typedef {(parameters: Parameters, update: () => void) => Page} OpenPage
 */

/** @type {Record<string, {title: string, load: () => Promise<{open: OpenPage}>}>} */
const PAGES = {
  pipeline: {title: "Pipeline", load: () => import("./pages/pipeline.js")},
  search: {title: "Search", load: () => import("./pages/search.js")},
  product: {title: "Product", load: () => import("./pages/product.js")},
  events: {title: "Events", load: () => import("./pages/events.js")},
  "dead-letters": {title: "Dead letters", load: () => import("./pages/dead_letters.js")},
  webhooks: {title: "Webhooks", load: () => import("./pages/webhooks.js")},
  imports: {title: "Imports", load: () => import("./pages/imports.js")},
};

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
let name = "";
/** @type {Page | null} */
let page = null;
let isTokenShown = false;

function draw() {
  render(frame(), root);
}

const frame = () => html`
  <a class="skip" href="#main" @click=${skip}>To the content</a>
  <header>
    <span class="brand">Product catalogue</span>
    <nav aria-label="Pages">
      ${Object.entries(PAGES).map(
        ([each, {title}]) => html`
          <a href=${to(each)} aria-current=${each === name ? "page" : nothing}>${title}</a>`,
      )}
    </nav>
    <div class="tools">
      <button type="button" class="small" aria-expanded=${isTokenShown} @click=${showToken}>
        Token${token() ? ": set" : ""}
      </button>
      <button type="button" class="small" @click=${changeTheme}>Theme: ${theme()}</button>
    </div>
    ${isTokenShown ? tokenField() : nothing}
  </header>
  <main id="main" tabindex="-1" aria-label=${PAGES[name]?.title ?? "Page"}>${page?.view() ?? nothing}</main>`;

const tokenField = () => html`
  <form class="token" @submit=${takeToken}>
    <label>Access token
      <input name="token" type="password" autocomplete="off" .value=${token()} placeholder="eyJ…">
    </label>
    <button>Use</button>
    <p>It stays in this tab and is sent to this API alone. Without access control none is needed.</p>
  </form>`;

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function showToken() {
  isTokenShown = !isTokenShown;
  draw();
}

function changeTheme() {
  switchTheme();
  draw();
}

/** @param {SubmitEvent} event */
function takeToken(event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  keepToken(String(new FormData(form).get("token") ?? ""));
  isTokenShown = false;
  open(true);
}

/** Shows the page of the present place. @param {boolean} [isAnew] also where it is shown already */
async function open(isAnew = false) {
  const wanted = place();
  if (wanted.name === name && page?.go && !isAnew) {
    page.go(wanted.parameters);
    draw();
    return;
  }
  page?.close?.();
  page = null;
  const isFirst = name === "";
  name = wanted.name;
  const known = PAGES[name];
  document.title = `${known?.title ?? "No such page"} - product catalogue`;
  if (!known) {
    page = {view: () => notice("warn", `There is no page ${name}.`)};
    draw();
    return;
  }
  draw();
  const {open: openPage} = await known.load();
  if (name !== wanted.name) return; // somebody was faster than the file
  page = openPage(place().parameters, draw);
  draw();
  if (!isFirst) document.getElementById("main")?.focus();
}

applyTheme();
root.textContent = "";
addEventListener("hashchange", () => open());
open();
