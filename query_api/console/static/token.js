/** The caller's access token, in this tab alone: it is gone when the tab is closed. */

const KEY = "console.token";

/** @returns {string} empty without one */
export const token = () => sessionStorage.getItem(KEY) ?? "";

/** @param {string} given */
export function keepToken(given) {
  const text = given.trim().replace(/^bearer\s+/i, "");
  if (text) sessionStorage.setItem(KEY, text);
  else sessionStorage.removeItem(KEY);
}
