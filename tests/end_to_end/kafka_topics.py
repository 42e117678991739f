"""What stands in Kafka, read by kafka-python: a client that shares no code with ours."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

with warnings.catch_warnings():
    # Its import reads its schemas by a function that Python 3.11 deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition  # type: ignore[import-untyped,unused-ignore]

KINDS = ("events", "created", "updated", "deleted")
_POLL_MILLISECONDS = 500
_EMPTY_POLLS_MAX = 40


@dataclass(frozen=True)
class Published:
    """One record as it stands in a topic."""

    topic: str
    partition: int
    offset: int
    key: str | None
    value: bytes | None
    headers: dict[str, str]


class Topics:
    """The four topics of one installation."""

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._prefix = prefix

    def name(self, kind: str) -> str:
        """The topic of a kind: events, created, updated, deleted."""
        return f"{self._prefix}products-{kind}"

    def end_offsets(self, *kinds: str) -> dict[tuple[str, int], int]:
        """(topic, partition) -> the offset that the next record will get."""
        with self._consumer() as consumer:
            ends: dict[TopicPartition, int] = consumer.end_offsets(self._partitions(consumer, kinds or KINDS))
        return {(at.topic, at.partition): end for at, end in ends.items()}

    def read(self, *kinds: str) -> list[Published]:
        """All records, in order within each partition."""
        records: list[Published] = []
        with self._consumer() as consumer:
            partitions = self._partitions(consumer, kinds or KINDS)
            consumer.assign(partitions)
            ends = consumer.end_offsets(partitions)
            consumer.seek_to_beginning(*partitions)
            empty_polls = 0
            while any(consumer.position(at) < end for at, end in ends.items()):
                polled = consumer.poll(timeout_ms=_POLL_MILLISECONDS, max_records=5000)
                empty_polls = 0 if polled else empty_polls + 1
                assert empty_polls < _EMPTY_POLLS_MAX, f"Kafka does not deliver up to {ends}"
                records += [_published(record) for some in polled.values() for record in some]
        return records

    def committed(self, projection: str) -> dict[tuple[str, int], int]:
        """The offsets that a projection's group has committed."""
        admin = KafkaAdminClient(bootstrap_servers=self._bootstrap_servers)
        try:
            group = f"{self._prefix}{projection}"
            offsets = admin.list_group_offsets(group)
        finally:
            admin.close()
        offsets = offsets.get(group, offsets)
        return {(at.topic, at.partition): found.offset for at, found in offsets.items()}

    def _partitions(self, consumer: Any, kinds: tuple[str, ...]) -> list[Any]:
        return [
            TopicPartition(self.name(kind), number)
            for kind in kinds
            for number in sorted(consumer.partitions_for_topic(self.name(kind)) or ())
        ]

    @contextmanager
    def _consumer(self) -> Iterator[Any]:
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap_servers, enable_auto_commit=False, fetch_max_wait_ms=50
        )
        try:
            yield consumer
        finally:
            consumer.close()


def _published(record: Any) -> Published:
    key = None if record.key is None else record.key.decode()
    headers = {name: value.decode() for name, value in record.headers}
    assert len(headers) == len(record.headers), f"a header is repeated: {record.headers}"
    return Published(record.topic, record.partition, record.offset, key, record.value, headers)
