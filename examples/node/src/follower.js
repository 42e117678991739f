// Follows products-state and products-events together. Where we are is in the store, not in Kafka: the group's
// own offsets are never written, because they could not change in the same write as the table.

import { readRecord } from "./record.js";
import { applyEvent, applyState } from "./stock.js";

// All that we have was made from a log that is no more. Only a person may say that it goes.
export class AnotherLog extends Error {}
// Our offsets mean nothing in these topics. Versions do, so we can read them from the beginning.
export class TopicsMadeAgain extends Error {}

export class Follower {
  #consumer;
  #unverified = new Map(); // partition of products-events -> the record that we have applied last
  #stopped = false;
  #end; // ends `run`, with or without an error

  constructor(kafka, { events, states, group }, store, counts) {
    this.kafka = kafka;
    this.events = events;
    this.states = states;
    this.group = group;
    this.store = store;
    this.counts = counts;
  }

  // Until `stop`. Throws AnotherLog, TopicsMadeAgain, UnreadableRecord, and what Kafka and the disk throw.
  async run() {
    await this.#placeCheckpoint();
    this.#consumer = this.kafka.consumer({
      groupId: this.group,
      sessionTimeout: 6_000, // how long a killed process keeps its partitions
      heartbeatInterval: 1_000,
      maxWaitTimeInMs: 500,
    });
    this.#consumer.on(this.#consumer.events.GROUP_JOIN, () => this.#seek());
    const ended = new Promise((resolve, reject) => {
      this.#end = (error) => (error ? reject(error) : resolve());
    });
    this.#consumer.on(this.#consumer.events.CRASH, ({ payload }) => payload.restart || this.#end(payload.error));
    try {
      await this.#consumer.connect();
      await this.#consumer.subscribe({ topics: [this.events, this.states], fromBeginning: true });
      await this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => this.#takeBatch(payload),
      });
      await ended;
    } finally {
      this.#stopped = true;
      await this.#consumer.disconnect();
    }
  }

  stop() {
    this.#stopped = true;
    this.#end?.();
  }

  // The first time: the events from now on, and all states. Events between a state and "now" are missing then,
  // and the catalogue publishes a newer state for each of them: that is why we go on reading both topics.
  async #placeCheckpoint() {
    const known = this.store.checkpoint;
    const [events, states] = [await this.#bounds(this.events), await this.#bounds(this.states)];
    if (!known) {
      const topics = { [this.events]: places(events, "high"), [this.states]: places(states, "low") };
      this.store.commit([], { logId: null, topics });
      return;
    }
    for (const [topic, bounds] of [[this.events, events], [this.states, states]]) {
      for (const { partition, low, high } of bounds) {
        const next = BigInt(known.topics[topic]?.[partition]?.next ?? low);
        if (next < BigInt(low) || next > BigInt(high)) {
          throw new TopicsMadeAgain(`${topic}/${partition} has ${low} to ${high}, and we were at ${next}`);
        }
      }
    }
  }

  // Read both topics from the beginning; what we know is dropped by its version.
  async readAgain() {
    const topics = {
      [this.events]: places(await this.#bounds(this.events), "low"),
      [this.states]: places(await this.#bounds(this.states), "low"),
    };
    this.store.commit([], { ...this.store.checkpoint, topics });
  }

  async #bounds(topic) {
    const admin = this.kafka.admin();
    await admin.connect();
    try {
      return await admin.fetchTopicOffsets(topic);
    } finally {
      await admin.disconnect();
    }
  }

  // To our own places. In products-events to the last record that we have: it tells whether this is still the same
  // topic. products-state is compacted, so that record may be gone there.
  #seek() {
    for (const [topic, partitions] of Object.entries(this.store.checkpoint.topics)) {
      for (const [partition, { next, last }] of Object.entries(partitions)) {
        const verify = topic === this.events && last;
        if (verify) this.#unverified.set(Number(partition), last);
        this.#consumer.seek({ topic, partition: Number(partition), offset: verify ? last.offset : next });
      }
    }
  }

  async #takeBatch({ batch, resolveOffset, heartbeat }) {
    if (this.#stopped) return;
    try {
      this.#apply(batch);
    } catch (error) {
      this.#stopped = true; // kafkajs would try this batch again; we take nothing any more
      this.#end(error);
      return;
    }
    resolveOffset(batch.lastOffset());
    await heartbeat();
  }

  // One commit for a batch: its products, and the place after it.
  #apply({ topic, partition, messages }) {
    const changed = new Map();
    let { logId, topics } = this.store.checkpoint;
    let last = topics[topic][partition]?.last ?? null;
    const counts = {};
    for (const message of messages) {
      const record = readRecord(topic, partition, message);
      if (record.logId && logId && record.logId !== logId) {
        throw new AnotherLog(`our table is of the log ${logId}, and the topics are now of ${record.logId}`);
      }
      logId ??= record.logId ?? null;
      if (topic === this.events && this.#unverified.has(partition)) {
        const expected = this.#unverified.get(partition);
        if (expected.id !== record.id || expected.offset !== record.offset) {
          throw new TopicsMadeAgain(`${topic}/${partition}@${record.offset} is ${record.id}, and was ${expected.id}`);
        }
        this.#unverified.delete(partition);
        continue;
      }
      const known = changed.get(record.productId) ?? this.store.products.get(record.productId);
      const { product, outcome } = topic === this.events ? applyEvent(known, record) : applyState(known, record);
      if (product !== known) changed.set(record.productId, product);
      if (outcome === "unknown type") console.log(`skipped the unknown type ${record.type} of ${record.productId}`);
      if (outcome === "waits") console.log(`${record.productId} waits for its state: ${product.waits.reason}`);
      counts[outcome] = (counts[outcome] ?? 0) + 1;
      last = { offset: record.offset, id: record.id };
    }
    const next = last ? (BigInt(last.offset) + 1n).toString() : topics[topic][partition].next;
    topics = { ...topics, [topic]: { ...topics[topic], [partition]: { next, last } } };
    this.store.commit([...changed], { logId, topics });
    for (const [outcome, count] of Object.entries(counts)) {
      this.counts[outcome] = (this.counts[outcome] ?? 0) + count;
    }
  }
}

function places(bounds, end) {
  return Object.fromEntries(bounds.map(({ partition, ...of }) => [partition, { next: of[end], last: null }]));
}
