/**
 * The place of a page is after the `#` of the address: `#/search?q=shirt&brand=Acme`. So a page can be reloaded,
 * linked and gone back from, and no server or proxy sees what was searched for.
 */

/** @typedef {Record<string, string>} Parameters */

/** @returns {{name: string, parameters: Parameters}} */
export function place() {
  const [name, query] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  return {name: name || "pipeline", parameters: Object.fromEntries(new URLSearchParams(query ?? ""))};
}

/**
 * The address of a page; parameters without a value are left out.
 * @param {string} name
 * @param {Record<string, string | number | null | undefined>} [parameters]
 */
export function to(name, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const query = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return `#/${name}${query ? `?${query}` : ""}`;
}

/**
 * Goes there. With `isStep` false the place replaces the present one: for each letter that is typed.
 * @param {string} address from `to`
 */
export function go(address, {isStep = true} = {}) {
  if (address === location.hash) return;
  if (isStep) {
    location.hash = address;
  } else {
    history.replaceState(null, "", address);
    dispatchEvent(new HashChangeEvent("hashchange"));
  }
}
