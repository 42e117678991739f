"""How far a projection has applied each partition: committed to Kafka, and compared with its end.

The commit is for lag tools, and for views without checkpoints; it comes after the effect and is best effort,
because a view's own checkpoint or version check makes a duplicate harmless.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiokafka import TopicPartition

from projector.applying.records import Delivered, Unreadable
from projector.control.ports import PartitionLag
from projector.kafka.metrics import ProjectionMetrics
from shared.kafka.errors import KAFKA_IS_AWAY
from shared.ops.error_text import named
from shared.ops.logs import get_logger

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

_CALL_SECONDS_MAX = 2.0
_ASK_SECONDS = 1.0
_log = get_logger(__name__)


class AppliedOffsets:
    """Only for partitions that this process has: `forget` is called when they are revoked."""

    def __init__(self, projection: str, topic: str, metrics: ProjectionMetrics) -> None:
        self._projection = projection
        self._topic = topic
        self._metrics = metrics
        self._next: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._ask_after = 0.0
        self._placed_at = 0.0
        self._ends_at = 0.0
        self._beyond: int | None = None

    def placed(self, next_offsets: dict[TopicPartition, int]) -> None:
        """Reading starts here. This is committed, too: after a failed commit the checkpoint is ahead of it,
        and a partition without new records would show a lag for ever.
        """
        self._next.update(next_offsets)
        for tp in next_offsets:
            self._committed.pop(tp, None)
        self._placed_at = time.time()

    def read_elsewhere(self) -> None:
        """Another consumer of this process reads from now on: what it was told before may be older than our
        place.
        """
        self._placed_at = time.time()

    def reached(self, batch: Sequence[Delivered | Unreadable]) -> dict[int, int]:
        """The batch is applied or parked. Returns where each of its partitions goes on."""
        last = {item.partition: item for item in batch}
        for item in last.values():
            tp = TopicPartition(self._topic, item.partition)
            self._next[tp] = item.offset + 1
            if isinstance(item, Delivered):
                event = item.event
                self._metrics.reached(tp.partition, event.log_position, event.recorded_at, item.log_id)
        return {partition: item.offset + 1 for partition, item in last.items()}

    def forget(self) -> None:
        """Another process has the partitions now."""
        self._next, self._committed, self._ends = {}, {}, {}
        self._metrics.forget()

    async def commit(self, consumer: "AIOKafkaConsumer") -> None:
        """Explicit offsets, bounded in time; a failure is logged and tried again with the next commit."""
        offsets = {tp: offset for tp, offset in self._next.items() if self._committed.get(tp) != offset}
        if not offsets:
            return
        try:
            async with asyncio.timeout(_CALL_SECONDS_MAX):
                await consumer.commit(offsets)
        except KAFKA_IS_AWAY as error:
            reason = named(error)
            _log.warning("offsets not committed", projection=self._projection, reason=reason)
            return
        self._committed.update(offsets)

    async def measure(self, consumer: "AIOKafkaConsumer") -> list[PartitionLag]:
        """Lag behind the newest known offset; partitions without one are absent."""
        await self._ask_for_ends(consumer)
        lags = []
        self._beyond = None
        for tp, next_offset in self._next.items():
            if self._ends_before(consumer, tp, next_offset):
                self._beyond = tp.partition
            ends = [end for end in (consumer.highwater(tp), self._ends.get(tp)) if end is not None]
            if ends:
                lags.append(self._metrics.lag(tp.partition, next_offset, max(0, max(ends) - next_offset)))
        return lags

    def next_offset(self, partition: int) -> int:
        """Where it goes on; 0 if that is not known."""
        return self._next.get(TopicPartition(self._topic, partition), 0)

    def silent_seconds(self, consumer: "AIOKafkaConsumer") -> float:
        """For how long the broker has told nothing about the partitions that are read; 0 if none is."""
        if not self._next:
            return 0.0
        told = [consumer.last_poll_timestamp(tp) for tp in self._next]
        newest = max((at / 1000 for at in told if at is not None), default=0.0)
        return time.time() - max(newest, self._placed_at, self._ends_at)

    def beyond_its_end(self) -> int | None:
        """A partition that ended before our place when it was measured. The topic may have been lost: only
        the broker knows.
        """
        return self._beyond

    def _ends_before(self, consumer: "AIOKafkaConsumer", tp: TopicPartition, next_offset: int) -> bool:
        """By an answer of the broker that is newer than our place."""
        end, told_at = consumer.highwater(tp), consumer.last_poll_timestamp(tp)
        if end is None or told_at is None:
            return False
        return bool(told_at / 1000 > self._placed_at + 1 and end < next_offset)

    async def _ask_for_ends(self, consumer: "AIOKafkaConsumer") -> None:
        """Fetches bring the ends, but a paused partition is not fetched, and its lag would not grow."""
        paused = [tp for tp in consumer.paused() if tp in self._next]
        now = time.monotonic()
        if not paused or now < self._ask_after:
            return
        self._ask_after = now + _ASK_SECONDS
        try:
            async with asyncio.timeout(_CALL_SECONDS_MAX):
                self._ends = dict(await consumer.end_offsets(paused))
                self._ends_at = time.time()
        except KAFKA_IS_AWAY as error:
            reason = named(error)
            _log.warning("cannot read the partitions' ends", projection=self._projection, reason=reason)
