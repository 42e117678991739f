"""Reads a topic once for all projections of a process that have caught up.

Every projection has its consumer group: from it Kafka knows who has which partitions, and lag tools how far
it is. To fetch and decode every record once for each of them would be a large part of the cost of an event.
So a projection that has caught up follows this reader, and its own consumer is paused. One that lags, is
paused, is placed again, or is too slow reads by itself until it has caught up. The reader is in no group and
stores no place. If it fails, all of them go on by themselves.

More in docs/decisions/0047-one-reader-for-all-projections.md.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from projector.kafka.fetching import (
    FETCHER_LOOK_MILLISECONDS,
    METADATA_MAX_AGE_MILLISECONDS,
    BatchWait,
    dead_task,
)
from projector.kafka.records import Record, SharedRecord
from projector.kafka.tail import Follower, Place, Tail
from shared.kafka.connections import close_client
from shared.kafka.servers import KafkaServers
from shared.ops.error_text import named
from shared.ops.logs import get_logger

_POLL_MILLISECONDS = 1_000
# More waits for the next poll, so that no batch gets too large.
_POLL_RECORDS_MAX = 500
_STOP_SECONDS_MAX = 5.0
_log = get_logger(__name__)


class SharedReader:
    """For one topic, in one process. `busy` is its batch wait after records, `idle` after none. After
    a failure it begins again when it is wanted, and not before `rest_seconds` have passed.
    """

    def __init__(
        self, servers: KafkaServers, topic: str, *, idle: BatchWait, busy: BatchWait,
        make_tail: Callable[[], Tail], rest_seconds: float,
    ) -> None:  # fmt: skip
        self.consumer: AIOKafkaConsumer | None = None
        self.tail = make_tail()
        self._make_tail = make_tail
        self._rest_seconds = rest_seconds
        self._servers = servers
        self._topic = topic
        self._idle, self._busy = idle, busy
        self._followers: set[Follower] = set()
        self._wanted, self._followed = asyncio.Event(), asyncio.Event()

    def follow(self, places: Mapping[int, Place]) -> Follower | None:
        """Follow from these places on. None: not now, because the reader does not run yet, or because they
        are too far behind or ahead of it.
        """
        self._wanted.set()
        if self.consumer is None or not self.tail.reaches(places):
            return None
        self._start(self.consumer, places)
        follower = Follower(self.tail, {at: one.next_offset for at, one in places.items()})
        self._followers.add(follower)
        self._followed.set()
        return follower

    def left(self, follower: Follower) -> None:
        """It does not follow any more; partitions without a follower are not read any more."""
        follower.end()
        if follower not in self._followers:
            return
        self._followers.discard(follower)
        unread = [
            at for at in follower.next_offsets if not any(at in one.next_offsets for one in self._followers)
        ]
        for partition in unread:
            self.tail.forget(partition)
        if self.consumer is not None and unread:
            self.consumer.pause(*(TopicPartition(self._topic, at) for at in unread))
        if not self._followers:
            self._followed.clear()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wanted.wait()
            try:
                await self._read()
            except Exception as error:
                _log.warning("each projection reads by itself: the reader failed", reason=named(error))
            await asyncio.sleep(self._rest_seconds)
            self._wanted.clear()

    async def _read(self) -> None:
        consumer = AIOKafkaConsumer(
            **self._servers.arguments(),
            client_id="projector",
            enable_auto_commit=False,
            isolation_level="read_committed",
            # A place that the topic does not have: each projection finds out by itself what that means.
            auto_offset_reset="none",
            fetch_min_bytes=self._idle.bytes_min,
            fetch_max_wait_ms=self._idle.milliseconds_max,
            consumer_timeout_ms=FETCHER_LOOK_MILLISECONDS,
            metadata_max_age_ms=METADATA_MAX_AGE_MILLISECONDS,
        )
        try:
            await consumer.start()
            self.consumer = consumer
            while True:
                await self._followed.wait()
                self._add(
                    await consumer.getmany(timeout_ms=_POLL_MILLISECONDS, max_records=_POLL_RECORDS_MAX)
                )
        finally:
            self.consumer, self.tail = None, self._make_tail()
            self._followed.clear()
            followers, self._followers = self._followers, set()
            for follower in followers:
                follower.end()
            await _stop(consumer)

    def _add(self, polled: Mapping[TopicPartition, Sequence[Record]]) -> None:
        """Raises RuntimeError if the reading cannot go on."""
        assert self.consumer is not None
        if dead := dead_task(self.consumer):
            raise RuntimeError(dead)
        # Before the fetcher runs again.
        (self._busy if polled else self._idle).use_in(self.consumer)
        if not polled:
            return
        tail = self.tail
        for at, records in polled.items():
            if records[0].offset < tail.next_offsets[at.partition]:
                raise RuntimeError(f"{at.topic}[{at.partition}] goes back to offset {records[0].offset}")
        tail.add(tuple(SharedRecord(record) for records in polled.values() for record in records))
        tail.trim([follower.place for follower in self._followers])
        for follower in self._followers:
            follower.news.set()

    def _start(self, consumer: AIOKafkaConsumer, places: Mapping[int, Place]) -> None:
        """Read these partitions, too. aiokafka forgets all places when the assignment changes."""
        new = {at: one.next_offset for at, one in places.items() if at not in self.tail.next_offsets}
        if not new:
            return
        self.tail.start(new)
        if not {TopicPartition(self._topic, at) for at in new} <= consumer.assignment():
            new = self.tail.next_offsets
            consumer.assign([TopicPartition(self._topic, at) for at in new])
        for partition, offset in new.items():
            consumer.seek(TopicPartition(self._topic, partition), offset)
        consumer.resume(*(TopicPartition(self._topic, at) for at in new))


async def _stop(consumer: AIOKafkaConsumer) -> None:
    try:
        async with asyncio.timeout(_STOP_SECONDS_MAX):
            await consumer.stop()
    except (asyncio.CancelledError, Exception) as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # aiokafka's fetcher awaits fetches that it has just cancelled (see `PromptBatchSubscriber.stop`).
        _log.warning("the shared reader did not stop", reason=repr(error))
        await close_client(consumer._client)
