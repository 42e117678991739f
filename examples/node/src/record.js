// A Kafka record of the catalogue, with its headers as plain values. docs/asyncapi.yaml has all of them.

// The record is not one of the catalogue's, or has lost what we need. A person has to look at it.
export class UnreadableRecord extends Error {}

export function readRecord(topic, partition, message) {
  const header = (name) => message.headers?.[name]?.toString();
  const number = (name) => {
    const value = Number(header(name));
    if (Number.isSafeInteger(value) && value > 0) return value;
    throw new UnreadableRecord(`${topic}/${partition}@${message.offset}: no number in the header ${name}`);
  };
  return {
    offset: message.offset,
    id: header("ce_id"),
    logId: header("ce_logid"), // old states do not have it
    productId: message.key?.toString(),
    type: header("ce_type"),
    version: number("ce_streamversion"),
    position: number("ce_position"),
    schemaVersion: header("ce_type") === "product-state" ? null : number("ce_schemaversion"),
    value: message.value?.toString() ?? null,
  };
}
