/** The public API: every read of the console goes through here, with the caller's token and one kind of error. */

import {token} from "./token.js";

/** @typedef {{status: number, code: string, title: string, detail: string, path: string}} Problem */

/** What the API refused, or that it did not answer (status 0). */
export class ApiProblem extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.detail || problem.title);
    this.problem = problem;
  }
}

const SECONDS_MAX = 15;
/** Relative to this file, so that a gateway may put all of it behind a prefix. */
const ROOT = new URL("../", import.meta.url);

/**
 * The address of a read. Parameters without a value are left out.
 * @param {string} path such as `v1/products`
 * @param {Record<string, unknown>} [parameters]
 */
export function address(path, parameters = {}) {
  const url = new URL(path, ROOT);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== "" && value !== false) {
      url.searchParams.set(name, String(value));
    }
  }
  return url;
}

/** A part of a path: a SKU may contain any character. @param {string} text */
export const segment = text => encodeURIComponent(text);

/**
 * The JSON of a read.
 * @param {string} path
 * @param {Record<string, unknown>} [parameters]
 * @param {AbortSignal} [signal]
 * @throws {ApiProblem}
 */
export async function read(path, parameters, signal) {
  const url = address(path, parameters);
  const limit = AbortSignal.timeout(SECONDS_MAX * 1000);
  const both = signal ? AbortSignal.any([signal, limit]) : limit;
  let answer;
  try {
    answer = await (taken(path) ?? fetch(url, {headers: headers(), signal: both}));
  } catch (error) {
    if (signal?.aborted) throw error;
    const detail = limit.aborted ? `No answer within ${SECONDS_MAX} s.` : "The API cannot be reached.";
    throw new ApiProblem({status: 0, code: "no-answer", title: "No answer", detail, path});
  }
  if (!answer.ok) throw new ApiProblem(await problemOf(answer, path));
  return answer.json();
}

/** The same read for a command line. @param {URL} url */
export function curl(url) {
  const bearer = token() ? ` -H "Authorization: Bearer $TOKEN"` : "";
  return `curl${bearer} '${url.href.replaceAll("'", "%27")}'`;
}

function headers() {
  const given = token();
  return given ? {authorization: `Bearer ${given}`} : {};
}

/** The answer that `first.js` has asked for. @param {string} path */
function taken(path) {
  if (path !== "v1/status") return undefined;
  const first = globalThis.firstStatus;
  globalThis.firstStatus = undefined;
  return first;
}

/** @param {Response} answer @param {string} path @returns {Promise<Problem>} */
async function problemOf(answer, path) {
  const given = await answer.json().catch(() => ({}));
  return {
    status: answer.status,
    code: given.code ?? "no-problem-document",
    title: given.title ?? answer.statusText,
    detail: given.detail ?? "",
    path,
  };
}
