import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { applyEvent, applyState } from "../src/stock.js";
import { Store } from "../src/store.js";

const price = (amount) => ({ amount, currency: "EUR" });
const shirt = { version: 4, position: 40, name: "Shirt", prices: { A: price("9.00"), B: price("8.00") }, deleted: false };
const event = (version, type, data, schemaVersion = 1) => ({
  version, position: version * 10, type, schemaVersion, value: JSON.stringify(data),
});

test("each type that we use changes what it should", () => {
  const after = (...given) => applyEvent(shirt, event(5, ...given)).product;
  assert.deepEqual(after("product-price-changed", { sku: "A", price: price("7.00") }).prices.A, price("7.00"));
  assert.deepEqual(after("product-variant-removed", { sku: "A" }).prices, { B: price("8.00") });
  assert.equal(after("product-details-changed", { name: "Blouse" }, 2).name, "Blouse");
  assert.equal(after("product-details-changed", { brand: null }, 2).name, "Shirt");
  assert.equal(after("product-published", {}).version, 5);
  assert.deepEqual(after("product-deleted", {}), { version: 5, position: 50, name: null, prices: {}, deleted: true });
});

test("applying again changes nothing", () => {
  const again = event(5, "product-price-changed", { sku: "A", price: price("7.00") });
  const { product } = applyEvent(shirt, again);
  assert.deepEqual(applyEvent(product, again), { product, outcome: "known" });
});

test("a product that waits takes no event, and the state that it waits for", () => {
  const { product, outcome } = applyEvent(shirt, event(6, "product-published", {}));
  assert.equal(outcome, "waits");
  assert.equal(product.version, 4);
  const later = applyEvent(product, event(7, "product-published", {})).product;
  assert.deepEqual(later.waits, { version: 7, reason: "version 5 is missing" });
  const state = (version) => ({ version, position: 1, value: JSON.stringify({ name: "S", variants: [] }) });
  assert.equal(applyState(later, state(6)).product.waits.version, 7);
  assert.equal(applyState(later, state(7)).product.waits, undefined);
});

test("a product that we do not know begins with its first event or with a state", () => {
  const created = event(1, "product-created", { name: "Shirt", variants: [{ sku: "A", price: price("1.00") }] }, 2);
  assert.deepEqual(applyEvent(undefined, created).product.prices, { A: price("1.00") });
  assert.equal(applyEvent(undefined, event(3, "product-published", {})).outcome, "waits");
  assert.equal(applyState(undefined, { version: 3, position: 1, value: null }).product.deleted, true);
});

test("a commit that was cut off never happened", () => {
  const file = join(mkdtempSync(join(tmpdir(), "stock-")), "stock.jsonl");
  const checkpoint = { logId: "l", topics: {} };
  const store = new Store(file);
  store.commit([["1", shirt]], checkpoint);
  store.close();
  appendFileSync(file, '{"changes":[["1",{"version":5');
  const found = new Store(file);
  assert.deepEqual(found.products.get("1"), shirt);
  assert.deepEqual(found.checkpoint, checkpoint);
  found.commit([["2", shirt]], checkpoint);
  found.close();
  assert.deepEqual([...new Store(file).products.keys()], ["1", "2"]);
  assert.equal(readFileSync(file, "utf8").trim().split("\n").length, 1); // written anew at each start
});
