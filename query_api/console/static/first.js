/**
 * Asks for the status before the modules of the page are there: the first picture then needs one round trip.
 * `api.js` takes the answer, once.
 */

const place = location.hash.replace(/^#\/?/, "").split("?")[0];
if (place === "" || place === "pipeline") {
  const token = sessionStorage.getItem("console.token");
  const headers = token ? {authorization: `Bearer ${token}`} : {};
  const asked = fetch(new URL("../v1/status", import.meta.url), {headers});
  asked.catch(() => undefined); // whoever takes it sees the error
  globalThis.firstStatus = asked;
}
