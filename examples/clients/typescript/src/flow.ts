// A product from its first line to its history, by types that were generated from the two OpenAPI documents.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import createClient from "openapi-fetch";

import type { components, paths as CommandPaths } from "./commands.js";
import type { paths as ReadingPaths } from "./reading.js";

const [commandUrl, queryUrl] = process.argv.slice(2);
assert(commandUrl && queryUrl, "usage: node build/flow.js COMMAND_URL QUERY_URL");
const commands = createClient<CommandPaths>({ baseUrl: commandUrl });
const reading = createClient<ReadingPaths>({ baseUrl: queryUrl });

const brand = `Coast ${randomUUID().slice(0, 8)}`;
const sku = `A/B ä #${randomUUID().slice(0, 8)}`;
const shirt: components["schemas"]["ProductIn"] = {
  name: "Linen Shirt",
  brand,
  variants: [{ sku, price: { amount: "59.00", currency: "EUR" } }],
};

const created = await commands.POST("/v1/products", {
  params: { header: { "Idempotency-Key": randomUUID() } },
  body: shirt,
});
assert(created.data);
const product_id = created.data.id;
const one = { params: { path: { product_id } } };
await commands.POST("/v1/products/{product_id}/publish", one);
const changed = await commands.PUT("/v1/products/{product_id}/variants/{sku}/price", {
  params: { path: { product_id, sku } },
  body: { amount: "49.00", currency: "EUR" },
});
assert(changed.data);
// the reads below see all of this
const header = { "consistency-token": changed.response.headers.get("consistency-token") ?? "", prefer: "wait=10" };

const read = await reading.GET("/v1/products/{product_id}", { params: { path: { product_id }, header } });
assert(read.data);
assert.equal(read.data.version, 3);
assert.equal(read.data.status, "active");
assert.equal(read.data.variants[0]?.price.amount, "49.00");

const page = await reading.GET("/v1/products", {
  params: { query: { brand, facets: "brand", with_total: true }, header },
});
assert(page.data);
assert.equal(page.data.total, 1);
const facet = page.data.facets?.["brand"]?.[0];
assert(facet && "value" in facet);
assert.deepEqual([facet.value, facet.count], [brand, 1]);

const history = await reading.GET("/v1/products/{product_id}/history", one);
assert(history.data);
const types = history.data.items.map((item) => item.type);
assert.deepEqual(types, ["product-price-changed", "product-published", "product-created"]);

const events = await reading.GET("/v1/events", { params: { query: { after: "0", product_id, limit: 10 } } });
assert(events.data);
assert.deepEqual(events.data.items.map((event) => event.type), [...types].reverse());
assert.equal(events.data.items.at(-1)?.data["sku"], sku);

const refused = await commands.POST("/v1/products", { body: shirt });
assert.equal(refused.response.status, 409);
assert(refused.error);
assert.equal(refused.error.code, "sku-taken");
assert.equal(refused.error.conflicts?.[0]?.product_id, product_id);

const batch = await commands.POST("/v1/products:batch", {
  body: [
    { op: "price", id: product_id, sku, price: { amount: "39.00", currency: "EUR" } },
    { op: "restore", id: randomUUID() },
  ],
});
assert(batch.data);
const [done, missing] = batch.data.results;
assert.deepEqual([done?.status, done?.version], [200, 4]);
assert(missing?.problem);
console.log(`${product_id}: ${types.join(", ")}; refused: ${refused.error.code}, ${missing.problem.code}`);
