// GET /stock, /stock/<SKU> and /status, as JSON.

import { createServer } from "node:http";

export function serve(store, counts, port) {
  const server = createServer((request, response) => {
    const [status, body] = answer(request.url, store, counts);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

function answer(url, store, counts) {
  if (url === "/stock") return [200, store.items()];
  if (url === "/status") return [200, { checkpoint: store.checkpoint, waiting: store.waiting(), counts }];
  if (url.startsWith("/stock/")) {
    const sku = decodeURIComponent(url.slice("/stock/".length));
    const item = store.items().find((one) => one.sku === sku);
    return item ? [200, item] : [404, { error: "no such SKU" }];
  }
  return [404, { error: "there are /stock, /stock/<SKU> and /status" }];
}
