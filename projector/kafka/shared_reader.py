"""Reads a topic once for all projections of a process that have caught up.

Every projection has its consumer group: Kafka tells it its partitions, and lag tools its place. But while
each of them also fetched and decoded every record by itself, that was a third of the cost of an event. A
projection that has caught up follows this reader instead, and its own consumer is paused; one that lags, is
paused, is placed again, or is too slow reads by itself until it has caught up. The reader is in no group and
stores no place. If it fails, all of them go on by themselves: docs/decisions/0047-one-reader-for-all.md.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from projector.kafka.fetching import (
    FETCHER_LOOK_MILLISECONDS,
    METADATA_MAX_AGE_MILLISECONDS,
    BatchWait,
    dead_task,
)
from projector.kafka.records import Record, SharedRecord
from projector.kafka.tail import Tail
from shared.kafka.connections import close_client
from shared.ops.error_text import named
from shared.ops.logs import get_logger

if TYPE_CHECKING:
    from projector.settings import ProjectorSettings

_POLL_MILLISECONDS = 1_000
# More waits for the next poll, so that no batch gets too large.
_POLL_RECORDS_MAX = 500
_REST_SECONDS = 5.0
_STOP_SECONDS_MAX = 5.0
# Who lags by more reads by itself: the others are not to wait for it.
BEHIND_RECORDS_MAX = 1_000
_log = get_logger(__name__)


class Place(NamedTuple):
    """Where a projection is in a partition: its next offset, and the partition's end as it knows it."""

    next_offset: int
    end: int


class Follower:
    """One projection at its place in the tail. `next_offsets` is where it goes on, by partition."""

    def __init__(self, reader: "SharedReader", next_offsets: dict[int, int], place: int) -> None:
        self.next_offsets = next_offsets
        self.place = place
        self.news = asyncio.Event()
        """Records have come, or following ends."""
        self._reader: SharedReader | None = reader

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        """The reader's, while this follows."""
        return None if self._reader is None else self._reader.consumer

    @property
    def is_over(self) -> bool:
        """The reader has failed, or this has left."""
        return self._reader is None

    @property
    def waiting(self) -> int:
        """How many records it has not taken yet, those of other processes' partitions included."""
        return 0 if self._reader is None else self._reader.tail.end - self.place

    def take(self, records_max: int) -> tuple[SharedRecord, ...] | None:
        """The next records of its partitions. None: it has to read by itself."""
        if self._reader is None or (found := self._reader.tail.since(self.place, records_max)) is None:
            return None
        self.place += sum(map(len, found))
        places, nowhere = self.next_offsets, float("inf")
        records = tuple(
            record for some in found for record in some
            if record.offset >= places.get(record.partition, nowhere)
        )  # fmt: skip
        places.update({record.partition: record.offset + 1 for record in records})
        return records

    def leave(self) -> None:
        """Read no further here."""
        if self._reader is not None:
            reader, self._reader = self._reader, None
            reader.left(self)
        self.news.set()

    def end(self) -> None:
        """The reader has failed."""
        self._reader = None
        self.news.set()


class SharedReader:
    """For one topic, in one process. `busy` is its batch wait after records, `idle` after none."""

    def __init__(
        self, settings: "ProjectorSettings", topic: str, *, idle: BatchWait, busy: BatchWait
    ) -> None:
        self.consumer: AIOKafkaConsumer | None = None
        self.tail = Tail()
        self._settings = settings
        self._topic = topic
        self._idle, self._busy = idle, busy
        self._followers: set[Follower] = set()
        self._wanted, self._followed = asyncio.Event(), asyncio.Event()

    def follow(self, places: Mapping[int, Place]) -> Follower | None:
        """Follow from these places on. None: not now, because the reader does not run yet, or because they
        are too far behind or ahead of it.
        """
        self._wanted.set()
        if (
            self.consumer is None
            or sum(max(0, one.end - one.next_offset) for one in places.values()) > BEHIND_RECORDS_MAX
        ):
            return None
        tail, new = self.tail, {}
        ahead = 0
        for partition, place in places.items():
            if partition not in tail.next_offsets:
                new[partition] = place.next_offset
            elif place.next_offset < tail.first_offsets[partition]:
                return None
            else:
                ahead += max(0, place.next_offset - tail.next_offsets[partition])
        if ahead > BEHIND_RECORDS_MAX:
            return None
        self._start(self.consumer, new)
        follower = Follower(self, {at: one.next_offset for at, one in places.items()}, tail.begin)
        follower.news.set()
        self._followers.add(follower)
        self._followed.set()
        return follower

    def left(self, follower: Follower) -> None:
        """It does not follow any more; partitions without a follower are not read any more."""
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
            await asyncio.sleep(_REST_SECONDS)
            self._wanted.clear()

    async def _read(self) -> None:
        consumer = AIOKafkaConsumer(
            **self._settings.kafka_servers.arguments(),
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
            self.consumer, self.tail = None, Tail()
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

    def _start(self, consumer: AIOKafkaConsumer, new: Mapping[int, int]) -> None:
        """Read these partitions, too, from these offsets on. aiokafka forgets all places of an assignment."""
        for partition, offset in new.items():
            self.tail.start(partition, offset)
        if not new:
            return
        places = {TopicPartition(self._topic, at): offset for at, offset in new.items()}
        if not places.keys() <= consumer.assignment():
            places = {
                TopicPartition(self._topic, at): offset for at, offset in self.tail.next_offsets.items()
            }
            consumer.assign(list(places))
        for at, offset in places.items():
            consumer.seek(at, offset)
        consumer.resume(*places)


async def _stop(consumer: AIOKafkaConsumer) -> None:
    try:
        async with asyncio.timeout(_STOP_SECONDS_MAX):
            await consumer.stop()
    except Exception as error:
        _log.warning("the reader did not stop", reason=repr(error))
        await close_client(consumer._client)
