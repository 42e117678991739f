// The write process: a command is an HTTP request, as in the others. Arguments: connection string, port.
import { randomUUID } from "node:crypto";
import { CommandHandler } from "@event-driven-io/emmett";
import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";
import fastify from "fastify";
import { changePrice, create, evolve, initialState, streamOf } from "./products.mjs";

const [connectionString, port] = process.argv.slice(2);
const store = getPostgreSQLEventStore(connectionString);
await store.schema.migrate();
const handle = CommandHandler({ evolve, initialState, mapToStreamId: streamOf, retry: { onVersionConflict: true } });
const server = fastify();

const answer = (id, result) => ({ id, version: Number(result.nextExpectedStreamVersion) });

server.get("/readyz", async () => "ready");

server.post("/v1/products", async (request, reply) => {
  const { name, description, variants } = request.body;
  const [{ sku, price }] = variants;
  const id = randomUUID();
  const product = { name, description, sku, amount: price.amount };
  const result = await handle(store, id, create(product), { expectedStreamVersion: "STREAM_DOES_NOT_EXIST" });
  reply.code(201);
  return answer(id, result);
});

server.put("/v1/products/:id/variants/:sku/price", async (request) => {
  const { id } = request.params;
  return answer(id, await handle(store, id, changePrice(request.body.amount)));
});

process.on("SIGTERM", async () => {
  await server.close();
  await store.close();
});
await server.listen({ host: "127.0.0.1", port: Number(port) });
