// The projection process: Emmett's consumer keeps one document for each product, with the settings it has by
// itself. Argument: connection string.
import { pongoSingleStreamProjection, postgreSQLEventStoreConsumer } from "@event-driven-io/emmett-postgresql";
import { productIdOf } from "./products.mjs";

const [connectionString] = process.argv.slice(2);

const evolve = (document, { type, data, metadata }) => {
  const seen = { version: Number(metadata.streamPosition), events: (document?.events ?? 0) + 1 };
  return type === "ProductCreated" ? { ...data, ...seen } : { ...document, ...data, ...seen };
};

const projection = pongoSingleStreamProjection({
  collectionName: "products",
  canHandle: ["ProductCreated", "PriceChanged"],
  getDocumentId: ({ metadata }) => productIdOf(metadata.streamName),
  evolve,
});

const consumer = postgreSQLEventStoreConsumer({ connectionString });
consumer.projector({ projection });
await consumer.start();
