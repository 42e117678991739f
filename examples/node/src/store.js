// The table and the checkpoint, in one file. A commit is one line of JSON, so both are written, or neither.
//
// A real service has a database: there a commit is one transaction, and the rest stays as it is here.

import { closeSync, existsSync, fdatasyncSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

export class Store {
  products = new Map(); // product id -> product, as in stock.js
  checkpoint = null; // {logId, topics: {topic: {partition: {next, last: {offset, id}}}}}; null: never started
  #file;

  constructor(path) {
    if (existsSync(path)) this.#load(readFileSync(path, "utf8").split("\n"));
    this.#writeAnew(path);
    this.#file = openSync(path, "a");
  }

  // `changes`: [[product id, product], ...]
  commit(changes, checkpoint) {
    this.#append({ changes, checkpoint });
    for (const [id, product] of changes) this.products.set(id, product);
    this.checkpoint = checkpoint;
  }

  // Forget everything: the log that it came from is gone.
  startOver() {
    this.#append({ startOver: true });
    this.products.clear();
    this.checkpoint = null;
  }

  close() {
    closeSync(this.#file);
  }

  // One row for each SKU. A SKU may move to another product, and between products there is no order: until the
  // removal arrives, two products have it, and the later one in the log is right.
  items() {
    const rows = new Map();
    for (const [productId, { name, version, position, prices }] of this.products) {
      for (const [sku, price] of Object.entries(prices)) {
        if (position < rows.get(sku)?.position) continue;
        rows.set(sku, { sku, product_id: productId, name, price, version, position });
      }
    }
    return [...rows.values()];
  }

  waiting() {
    return [...this.products]
      .filter(([, product]) => product.waits)
      .map(([productId, { version, waits }]) => ({ product_id: productId, version, needs: waits.version, reason: waits.reason }));
  }

  #load(lines) {
    const torn = lines.pop(); // after the last line feed: empty, or the half of a line that was never committed
    if (torn) console.log("the last write was cut off: its records will be read again");
    for (const line of lines) {
      const { startOver, changes, checkpoint } = JSON.parse(line);
      if (startOver) this.products.clear();
      for (const [id, product] of changes ?? []) this.products.set(id, product);
      this.checkpoint = checkpoint ?? null;
    }
  }

  // Without what was replaced since. The old file is there until the new one is whole.
  #writeAnew(path) {
    const partial = `${path}.new`;
    this.#file = openSync(partial, "w");
    this.#append({ changes: [...this.products], checkpoint: this.checkpoint });
    closeSync(this.#file);
    renameSync(partial, path);
    const folder = openSync(dirname(path), "r");
    fsyncSync(folder);
    closeSync(folder);
  }

  #append(line) {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
    fdatasyncSync(this.#file); // on disk before we go on
  }
}
