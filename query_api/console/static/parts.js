/** What several pages show: refusals, texts to copy, states, buttons of paging. */

import {html, nothing} from "./vendor/lit-html.js";
import {ApiProblem} from "./api.js";

/** A refusal, in words that say what to do. @param {unknown} error */
export function refusal(error) {
  if (!(error instanceof ApiProblem)) throw error;
  const {status, code, title, detail, path} = error.problem;
  if (code === "not-found" || status === 405) {
    return notice("quiet", `This API does not answer /${path} yet.`, "A newer release of the query API does.");
  }
  if (status === 401) return notice("warn", "An access token is needed.", "Paste one above: Token.");
  if (status === 403) return notice("warn", "The token may not read this.", detail || title);
  const heading = status ? `${title} (${status} ${code})` : title;
  return notice("bad", heading, detail);
}

/** @param {"quiet" | "warn" | "bad" | "good"} tone @param {unknown} heading @param {unknown} [text] */
export const notice = (tone, heading, text) => html`
  <div class="notice ${tone}" role=${tone === "bad" ? "alert" : nothing}>
    <strong>${heading}</strong>${text ? html`<p>${text}</p>` : nothing}
  </div>`;

/** @param {string} text */
export const empty = text => html`<p class="empty">${text}</p>`;

/** @param {string} [text] */
export const waiting = (text = "Loading") => html`<p class="empty" aria-busy="true">${text} …</p>`;

/** A line to copy. @param {string} text @param {string} label */
export const copyable = (text, label) => html`
  <div class="copyable">
    <code tabindex="0">${text}</code>
    <button type="button" class="small" aria-label=${`Copy ${label}`} @click=${copy}>Copy</button>
  </div>`;

/** The clipboard needs a secure context; elsewhere the text is selected. @param {Event} event */
async function copy(event) {
  const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
  const code = /** @type {HTMLElement} */ (button.previousElementSibling);
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
    say(button, "Copied");
  } catch {
    getSelection()?.selectAllChildren(code);
    say(button, "Selected");
  }
}

/** @param {HTMLButtonElement} button @param {string} word */
function say(button, word) {
  button.dataset.said = word;
  setTimeout(() => delete button.dataset.said, 1500);
}

const TONES = {
  running: "good", following: "good", active: "good", enabled: "good", delivered: "good",
  waiting: "warn", behind: "warn", paused: "warn", draft: "warn", catching_up: "warn",
  stopped: "bad", failed: "bad", missing: "bad", disabled: "bad",
};

/** Colour alone says nothing: the word stands beside it. @param {string} text */
export const state = text => html`<span class="state ${TONES[text] ?? "quiet"}">${text}</span>`;

/** @param {string | null | undefined} cursor @param {() => void} go @param {string} [text] */
export const more = (cursor, go, text = "Next page") =>
  cursor ? html`<button type="button" @click=${go}>${text}</button>` : nothing;
