// node src/main.js: follow the catalogue. node src/main.js --start-over: forget all, then follow.
//
// Exit codes: 0 stopped by a signal; 1 failed, start it again; 2 wrong usage; 3 another log, or a record that we
// cannot read: starting it again does not help, a person has to decide.

import kafkajs from "kafkajs";

import { AnotherLog, Follower, TopicsMadeAgain } from "./follower.js";
import { serve } from "./pages.js";
import { UnreadableRecord } from "./record.js";
import { Store } from "./store.js";

const { Kafka, logLevel } = kafkajs;
const { KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:19092", KAFKA_TOPIC_PREFIX = "" } = process.env;
const { STOCK_FILE = "stock.jsonl", STOCK_PORT = "8100", STOCK_GROUP = "stock-example" } = process.env;

const options = process.argv.slice(2);
if (options.some((option) => option !== "--start-over")) {
  console.error("usage: node src/main.js [--start-over]");
  process.exit(2);
}
const store = new Store(STOCK_FILE);
if (options.includes("--start-over")) store.startOver();

const counts = {};
const kafka = new Kafka({
  clientId: "stock-example",
  brokers: KAFKA_BOOTSTRAP_SERVERS.split(","),
  logLevel: logLevel.ERROR,
  retry: { retries: 20, maxRetryTime: 2_000 }, // a broker may be away for a while
});
const topics = {
  events: `${KAFKA_TOPIC_PREFIX}products-events`,
  states: `${KAFKA_TOPIC_PREFIX}products-state`,
  group: `${KAFKA_TOPIC_PREFIX}${STOCK_GROUP}`,
};
let follower;
let stopping = false;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    stopping = true;
    follower?.stop();
  });
}

const pages = await serve(store, counts, Number(STOCK_PORT));
console.log(`the table is at http://127.0.0.1:${STOCK_PORT}/stock`);
let exitCode = 0;
while (!stopping) {
  follower = new Follower(kafka, topics, store, counts);
  try {
    await follower.run();
  } catch (error) {
    if (error instanceof TopicsMadeAgain) {
      console.log(`the topics were made again (${error.message}): we read them from the beginning`);
      await follower.readAgain();
      continue;
    }
    exitCode = error instanceof AnotherLog || error instanceof UnreadableRecord ? 3 : 1;
    console.error(`stopped: ${error.message}`);
    if (error instanceof AnotherLog) console.error("start with --start-over to empty the table and fill it again");
    break;
  }
}
pages.close();
store.close();
process.exit(exitCode);
