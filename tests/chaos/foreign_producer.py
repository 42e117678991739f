"""A foreign producer: writes records of products-events again, byte for byte, into the same partition."""

import random
import warnings
from typing import Any

from tests.end_to_end.checks.view_check import Place
from tests.end_to_end.kafka_topics import Topics

with warnings.catch_warnings():
    # Its import reads its schemas by a function that Python 3.11 deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition  # type: ignore[import-untyped,unused-ignore]
    from kafka.errors import KafkaError  # type: ignore[import-untyped,unused-ignore]

_RUN_RECORDS_MAX = 200
_PARTITIONS_MAX = 4
_POLL_MILLISECONDS = 500
_POLLS_MAX = 10
_SEND_SECONDS_MAX = 10


class ForeignProducer:
    """kafka-python, past the proxies."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def produce_again(self, kind: str, seed: int) -> str:
        """Produce runs of records from some partitions again; returns a description.

        `repeat`: the newest ones, in order; `reorder`: these with their products mixed; `replay`: old ones.

        If the broker becomes unavailable meanwhile, it stops.
        """
        chance = random.Random(seed)
        bootstrap_servers = self._place.servers.kafka.bootstrap_servers
        topic = Topics(bootstrap_servers, self._place.prefix).name("events")
        sent = 0
        try:
            records = _some_records(bootstrap_servers, topic, chance, are_newest=kind != "replay")
            producer = KafkaProducer(bootstrap_servers=bootstrap_servers, acks="all", retries=0)
            try:
                for record in _mixed(records, chance) if kind == "reorder" else records:
                    producer.send(
                        topic, value=record.value, key=record.key, headers=record.headers,
                        partition=record.partition,
                    ).get(_SEND_SECONDS_MAX)  # fmt: skip
                    sent += 1
            finally:
                producer.close(timeout=1)
        except KafkaError as error:
            return f"{sent} records produced again, then {type(error).__name__}"
        return f"{sent} records produced again"


def _some_records(
    bootstrap_servers: str, topic: str, chance: random.Random, *, are_newest: bool
) -> list[Any]:
    """A run from each of a few partitions, from its end or from anywhere in it."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap_servers, enable_auto_commit=False)
    try:
        partitions = sorted(consumer.partitions_for_topic(topic) or ())
        chosen = [
            TopicPartition(topic, number)
            for number in chance.sample(partitions, min(len(partitions), chance.randint(1, _PARTITIONS_MAX)))
        ]
        consumer.assign(chosen)
        lasts = {}
        for at, end in consumer.end_offsets(chosen).items():
            length = chance.randint(1, _RUN_RECORDS_MAX)
            first = max(0, end - length) if are_newest else chance.randint(0, max(0, end - length))
            consumer.seek(at, first)
            lasts[at] = min(end, first + length)
        records: list[Any] = []
        for _ in range(_POLLS_MAX):
            if all(consumer.position(at) >= last for at, last in lasts.items()):
                break
            for at, some in consumer.poll(timeout_ms=_POLL_MILLISECONDS).items():
                records += [record for record in some if record.offset < lasts[at]]
        return records
    finally:
        consumer.close()


def _mixed(records: list[Any], chance: random.Random) -> list[Any]:
    """Each product's records stay in order, the products are shuffled into each other."""
    by_product: dict[bytes, list[Any]] = {}
    for record in records:
        by_product.setdefault(record.key, []).append(record)
    order = [record.key for record in records]
    chance.shuffle(order)
    return [by_product[key].pop(0) for key in order]
