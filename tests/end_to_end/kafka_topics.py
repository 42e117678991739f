"""Reads the records in Kafka with kafka-python, a client that shares no code with ours."""

import warnings
from collections.abc import Iterator, Mapping
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
    """One record of a topic."""

    topic: str
    partition: int
    offset: int
    key: str | None
    value: bytes | None
    headers: dict[str, str]


class Topics:
    """The topics of one installation: the four of events, and any other by the end of its name."""

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._prefix = prefix

    def name(self, kind: str) -> str:
        """The topic of a kind: events, created, updated, deleted; state."""
        return f"{self._prefix}products-{kind}"

    def end_offsets(self, *kinds: str) -> dict[tuple[str, int], int]:
        """(topic, partition) -> the offset that the next record will get."""
        with self._consumer() as consumer:
            ends: dict[TopicPartition, int] = consumer.end_offsets(self._partitions(consumer, kinds or KINDS))
        return {(at.topic, at.partition): end for at, end in ends.items()}

    def read(self, *kinds: str) -> list[Published]:
        """All records, in order within each partition."""
        with self._consumer() as consumer:
            partitions = self._partitions(consumer, kinds or KINDS)
            return self._read(consumer, partitions, consumer.end_offsets(partitions))

    def read_committed(self, kind: str) -> list[Published]:
        """All records except those of aborted transactions."""
        with self._consumer() as anybody:
            ends = anybody.end_offsets(self._partitions(anybody, (kind,)))
        with self._consumer(isolation_level="read_committed") as consumer:
            return self._read(consumer, [*ends], ends)

    def must_be_committed(self, kind: str) -> None:
        """No transaction is open: it would hide records from `read_committed` readers."""
        with self._consumer() as anybody, self._consumer(isolation_level="read_committed") as careful:
            partitions = self._partitions(anybody, (kind,))
            ends, stable = anybody.end_offsets(partitions), careful.end_offsets(partitions)
        assert stable == ends, f"{self.name(kind)} has an open transaction: {stable} of {ends}"

    def must_have_applied(self, projection: str, ends: Mapping[tuple[str, int], int]) -> None:
        """Its consumer group has committed all records."""
        wanted = {at: end for at, end in ends.items() if end}
        reached = {at: offset for at, offset in self.committed(projection).items() if at in wanted}
        assert reached == wanted, f"{projection} is at {sum(reached.values())} of {sum(wanted.values())}"

    def _read(self, consumer: Any, partitions: list[Any], ends: Mapping[Any, int]) -> list[Published]:
        records: list[Published] = []
        if partitions:
            consumer.assign(partitions)
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
    def _consumer(self, **more: str) -> Iterator[Any]:
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap_servers, enable_auto_commit=False, fetch_max_wait_ms=50, **more
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
