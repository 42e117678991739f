"""Reads the compacted topic `products-state`: all partitions, without a group, from an index's checkpoint on.

A topic that was deleted and made again has the same name, and may have offsets beyond ours before we look.
Then records below our place would be missed for ever. So it is compared by time: what we have read is older
than the checkpoint that says so; in a topic made later, the first records are younger. Clocks may differ by
a minute, so the newest minute is not compared, but is when it is older: `check` compares the places of some
minutes ago.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from query_api.search.feed_ports import (
    IndexMustBeRebuilt,
    NoStateTopic,
    ReadStates,
    StateRecord,
    StatesUnavailable,
    TopicLag,
)
from query_api.search.kafka.records import read_state
from query_api.search.ports import IndexCheckpoint
from shared.kafka.cloud_event import MalformedRecord
from shared.kafka.errors import KAFKA_IS_AWAY
from shared.kafka.servers import KafkaServers
from shared.ops.error_text import named
from shared.ops.logs import get_logger
from shared.ops.metrics.search import SEARCH_INDEX_UNREADABLE

READ_STATES_MAX = 5_000
PARTITION_BYTES_MAX = 1024 * 1024
"""What is held in memory for each partition, apart from one larger record."""
CLOCKS_DIFFER_SECONDS_MAX = 60.0
_FETCH_WAIT_MILLISECONDS = 1_000
# By default the client looks 5 times a second whether it can fetch; whatever lets it fetch wakes it, too.
_FETCHER_LOOK_MILLISECONDS = 1_000
_REQUEST_SECONDS_MAX = 10.0
_STOP_SECONDS_MAX = 5.0
_log = get_logger(__name__)


class _Place(NamedTuple):
    """Where the reading was at a time, in Unix seconds."""

    next_offsets: Mapping[TopicPartition, int]
    at: float


class KafkaStateTopic:
    """Implements `StateTopic`. `wall_clock` gives Unix seconds."""

    def __init__(
        self,
        servers: KafkaServers,
        topic: str,
        *,
        partition_count: int,
        request_seconds_max: float = _REQUEST_SECONDS_MAX,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._servers = servers
        self._partitions = [TopicPartition(topic, partition) for partition in range(partition_count)]
        self._seconds_max = request_seconds_max
        self._clock = wall_clock

    async def open(self, checkpoint: IndexCheckpoint | None) -> "KafkaStateReading":
        consumer = AIOKafkaConsumer(
            **self._servers.arguments(),
            client_id="query-api-search",
            enable_auto_commit=False,
            isolation_level="read_committed",
            # A place that the topic does not have means that it is another one.
            auto_offset_reset="none",
            fetch_max_wait_ms=_FETCH_WAIT_MILLISECONDS,
            consumer_timeout_ms=_FETCHER_LOOK_MILLISECONDS,
            max_partition_fetch_bytes=PARTITION_BYTES_MAX,
            request_timeout_ms=int(self._seconds_max * 1000),
        )
        reading = KafkaStateReading(consumer, self._partitions, self._seconds_max, self._clock)
        try:
            async with asyncio.timeout(self._seconds_max):
                await consumer.start()
                await reading.begin(checkpoint)
        except KAFKA_IS_AWAY as error:
            await reading.close()
            raise StatesUnavailable(f"{self._partitions[0].topic}: {named(error)}") from error
        except BaseException:
            await reading.close()
            raise
        return reading


class KafkaStateReading:
    """Implements `StateReading`."""

    ends: Mapping[int, int]
    offset_count: int

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        partitions: list[TopicPartition],
        seconds_max: float,
        clock: Callable[[], float],
    ) -> None:
        self._consumer = consumer
        self._partitions = partitions
        self._seconds_max = seconds_max
        self._clock = clock
        self._began_at = clock()
        self._next: dict[TopicPartition, int] = {}
        self._places: deque[_Place] = deque()

    async def begin(self, checkpoint: IndexCheckpoint | None) -> None:
        """Find the place. Raises `NoStateTopic`, `IndexMustBeRebuilt`, aiokafka's errors."""
        consumer, partitions = self._consumer, self._partitions
        topic = partitions[0].topic
        # A question for one name could create it, with the defaults of the broker.
        if topic not in await consumer.topics():
            raise NoStateTopic(f"the topic {topic} does not exist, or this user may not read it")
        consumer.assign(partitions)
        firsts, ends = await asyncio.gather(
            consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        )
        self.ends = {at.partition: end for at, end in ends.items()}
        known = {} if checkpoint is None else checkpoint.next_offsets
        self._next = {at: known.get(at.partition, firsts[at]) for at in partitions}
        self.offset_count = 0
        for at, offset in self._next.items():
            if offset > ends[at]:
                raise IndexMustBeRebuilt(f"{at.topic} was made again: it ends before the index")
            # What was compacted away is not missed.
            first = max(offset, firsts[at])
            consumer.seek(at, first)
            self.offset_count += max(0, ends[at] - first)
        if checkpoint is not None:
            await self._compare(_Place(self._next, checkpoint.saved_at))

    async def read(self, wait_seconds: float, states_max: int) -> ReadStates:
        try:
            polled = await self._consumer.getmany(
                timeout_ms=int(wait_seconds * 1000), max_records=min(states_max, READ_STATES_MAX)
            )
            for at in self._partitions:
                self._next[at] = await self._consumer.position(at)
        except OffsetOutOfRangeError as error:
            raise IndexMustBeRebuilt(f"the topic was made again: {named(error)}") from error
        except KAFKA_IS_AWAY as error:
            raise StatesUnavailable(named(error)) from error
        records = [record for of_partition in polled.values() for record in of_partition]
        return ReadStates(
            [state for state in map(_readable, records) if state is not None],
            {at.partition: offset for at, offset in self._next.items()},
            {at.partition for at in self._partitions if self._waiting(at) == 0},
            sum(len(record.value or b"") for record in records),
        )

    async def check(self) -> None:
        now = self._clock()
        if not self._places or now - self._places[-1].at >= CLOCKS_DIFFER_SECONDS_MAX:
            self._places.append(_Place(dict(self._next), now))
        if now - self._places[0].at >= 2 * CLOCKS_DIFFER_SECONDS_MAX:
            try:
                await self._compare(self._places[0])
            except KAFKA_IS_AWAY as error:
                raise StatesUnavailable(named(error)) from error
            self._places.popleft()

    async def _compare(self, place: _Place) -> None:
        """Raises `IndexMustBeRebuilt` if records before the place are younger than it."""
        milliseconds = int((place.at + CLOCKS_DIFFER_SECONDS_MAX) * 1000)
        async with asyncio.timeout(self._seconds_max):
            younger = await self._consumer.offsets_for_times(
                {at: milliseconds for at, offset in place.next_offsets.items() if offset > 0}
            )
        for at, first in younger.items():
            if first is not None and first.offset < place.next_offsets[at]:
                raise IndexMustBeRebuilt(f"{at.topic} was made again: its first records are new")

    def lag(self) -> TopicLag:
        told = [self._consumer.last_poll_timestamp(at) for at in self._partitions]
        newest = max((at / 1000 for at in told if at is not None), default=0.0)
        return TopicLag(
            {at.partition: self._waiting(at) or 0 for at in self._partitions},
            max(0.0, self._clock() - max(newest, self._began_at)),
        )

    async def close(self) -> None:
        with suppress(*KAFKA_IS_AWAY):
            async with asyncio.timeout(_STOP_SECONDS_MAX):
                await self._consumer.stop()

    def _waiting(self, at: TopicPartition) -> int | None:
        """Offsets until the end of what is committed; None until the broker has told it."""
        end: int | None = self._consumer.last_stable_offset(at)
        if end is None or end < 0:
            return None
        return max(0, end - self._next[at])


def _readable(record: object) -> StateRecord | None:
    """None: it is left out; the next state of its product mends the index."""
    try:
        return read_state(record)
    except MalformedRecord as error:
        SEARCH_INDEX_UNREADABLE.inc()
        _log.warning("state not readable", reason=str(error))
        return None
