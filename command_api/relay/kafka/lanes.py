"""Turns a chunk of the log into record batches: one lane per topic and partition, each in log order.

Whole batches are several times faster than single records: for each record the client would create a future
and look up metadata (measured: tests/benchmarks/relay.py).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from shared.contract.addresses import partition_of
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import record_headers

TopicsOf = Callable[[str], Sequence[str]]
"""Stored event type -> the topics it goes to."""

NewBatch = Callable[[], Any]
"""aiokafka's `producer.create_batch`: a builder with `append`, untyped there."""

_PRODUCTS_CACHED_MAX = 65_536
_cached_partition_of: Callable[[UUID, int], int] = lru_cache(_PRODUCTS_CACHED_MAX)(partition_of)


class Lane:
    """The records for one partition of one topic, in order.

    `batches` holds (index in the chunk of the first event, batch, number of events); `unconfirmed_from` is
    the index of the first event that Kafka has not confirmed, and None when all are.
    """

    __slots__ = ("_batch", "_new_batch", "batches", "partition", "topic", "unconfirmed_from")

    def __init__(self, topic: str, partition: int, new_batch: NewBatch) -> None:
        self.topic = topic
        self.partition = partition
        self.batches: list[tuple[int, Any]] = []
        self.unconfirmed_from: int | None = None
        self._new_batch = new_batch
        self._batch: Any = None

    def append(self, index: int, timestamp_ms: int, key: bytes, value: bytes, headers: Any) -> None:
        """Add the event at `index` of the chunk; starts a new batch when one is full."""
        if (
            self._batch is None
            or self._batch.append(timestamp=timestamp_ms, key=key, value=value, headers=headers) is None
        ):
            self._begin(index)
            self._batch.append(timestamp=timestamp_ms, key=key, value=value, headers=headers)

    def _begin(self, index: int) -> None:
        """A batch takes its first record whatever its size: only the broker refuses too large records."""
        self._batch = self._new_batch()
        self.batches.append((index, self._batch))
        if self.unconfirmed_from is None:
            self.unconfirmed_from = index


def fill_lanes(
    events: Sequence[RecordedEvent],
    *,
    log_id: bytes,
    topics_of: TopicsOf,
    partition_count: int,
    new_batch: NewBatch,
    is_replay: bool = False,
) -> list[Lane]:
    """The lanes of a chunk. A record's time in Kafka is the event's, so consumers can seek by time."""
    lanes: dict[tuple[str, int], Lane] = {}
    for index, event in enumerate(events):
        key = str(event.product_id).encode()
        headers = record_headers(event, log_id, is_replay=is_replay)
        timestamp_ms = int(event.recorded_at.timestamp() * 1000)
        partition = _cached_partition_of(event.product_id, partition_count)
        for topic in topics_of(event.event_type):
            lane = lanes.get((topic, partition))
            if lane is None:
                lane = lanes[topic, partition] = Lane(topic, partition, new_batch)
            lane.append(index, timestamp_ms, key, event.data, headers)
    return list(lanes.values())
