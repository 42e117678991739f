"""Fakes of what the relay needs from outside; they pass the suites of the real adapters (suites.py)."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from command_api.relay.ports import (
    Chunk,
    LogUnavailable,
    OperatorNeeded,
    Published,
    PublishFailed,
    RelayReplaced,
)
from shared.contract.addresses import topics
from shared.contract.recorded_event import RecordedEvent

LOG_ID = b"0b5e7c1e-0000-4000-8000-000000000001"
TOPICS = topics()


class InMemoryLog:
    """The event store: what sessions share. Positions in `unreadable` have broken metadata."""

    def __init__(self, events: Sequence[RecordedEvent] = (), *, chunk_events_max: int = 100) -> None:
        self.events = list(events)
        self.cursor = 0
        self.holder: InMemoryLogTail | None = None
        self.chunk_events_max = chunk_events_max
        self.unreadable: set[int] = set()
        self.is_away = False
        self.opened = 0
        self.refused = 0
        self.reads: list[int] = []

    async def open(self) -> "InMemoryLogTail":
        if self.is_away:
            self.refused += 1
            raise LogUnavailable("away")
        self.opened += 1
        return InMemoryLogTail(self)

    def sever(self) -> None:
        """End the session that holds the lock, as the server or the network would."""
        assert self.holder is not None
        self.holder.end()


class InMemoryLogTail:
    """One session. Fake of `PostgresLogTail`."""

    log_id = LOG_ID

    def __init__(self, log: InMemoryLog) -> None:
        self._log = log
        self._ended = asyncio.Event()

    async def try_lock(self) -> bool:
        self._require_session()
        if self._log.holder is None:
            self._log.holder = self
        return self._log.holder is self

    async def read_cursor(self) -> int:
        self._require_session()
        return self._log.cursor

    async def read_after(self, log_position: int) -> Sequence[RecordedEvent]:
        self._require_session()
        self._log.reads.append(log_position)
        after = [event for event in self._log.events if event.log_position > log_position]
        chunk = after[: self._log.chunk_events_max]
        for index, event in enumerate(chunk):
            if event.log_position in self._log.unreadable:
                if index == 0:
                    raise OperatorNeeded(
                        f"the metadata of the event at position {event.log_position} is broken"
                    )
                return chunk[:index]
        return chunk

    async def move_cursor(self, old: int, new: int) -> None:
        self._require_session()
        if self._log.cursor != old:
            raise RelayReplaced(f"the cursor is no longer at {old}")
        self._log.cursor = new

    async def lost(self) -> None:
        await self._ended.wait()

    async def close(self) -> None:
        self.end()

    def end(self) -> None:
        self._ended.set()
        if self._log.holder is self:
            self._log.holder = None

    def _require_session(self) -> None:
        if self._ended.is_set():
            raise LogUnavailable("the session has ended")


class InMemoryKafka:
    """The broker, with faults: away, wrong topics, a record limit, and deliveries that end or wait."""

    def __init__(self) -> None:
        self.records: dict[str, list[RecordedEvent]] = {name: [] for name in TOPICS}
        self.is_away = False
        self.topics_are_wrong = False
        self.record_bytes_max = 1024 * 1024
        self.deliveries_left: int | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.publishing = asyncio.Event()
        self.started = 0
        self.stopped = 0


class InMemoryPublisher:
    """Fake of `KafkaPublisher`."""

    def __init__(self, kafka: InMemoryKafka, log_id: bytes = LOG_ID) -> None:
        self._kafka = kafka
        self._is_started = False

    async def start(self, published: Sequence[RecordedEvent] = ()) -> None:
        if self._kafka.is_away:
            raise PublishFailed("no connection to Kafka")
        if self._kafka.topics_are_wrong:
            raise OperatorNeeded("topic products-events has 3 partitions, wanted 12")
        await self.check(published)
        self._is_started = True
        self._kafka.started += 1

    async def check(self, published: Sequence[RecordedEvent]) -> None:
        if self._kafka.is_away:
            raise PublishFailed("no connection to Kafka")
        if published and self._kafka.records[TOPICS.events][:1] != list(published[:1]):
            raise OperatorNeeded(f"position {published[0].log_position} is missing: Kafka has lost data")

    async def newest(self) -> RecordedEvent | None:
        records = self._kafka.records[TOPICS.events]
        return max(records, key=lambda event: event.log_position, default=None)

    def prepare(self, events: Sequence[RecordedEvent]) -> Chunk:
        assert self._is_started, "prepare comes after start"
        return Chunk(events, None)

    async def publish(self, chunk: Chunk) -> Published:
        assert self._is_started, "publish comes after start"
        events = chunk.events
        self._kafka.publishing.set()
        await self._kafka.gate.wait()
        for confirmed, event in enumerate(events):
            if len(event.data) > self._kafka.record_bytes_max:
                return Published(
                    confirmed, OperatorNeeded(f"1 record(s) from position {event.log_position} on")
                )
            if self._kafka.deliveries_left == 0:
                return Published(confirmed, PublishFailed("not confirmed"))
            if self._kafka.deliveries_left is not None:
                self._kafka.deliveries_left -= 1
            for topic in (TOPICS.events, TOPICS.by_kind(event.event_type)):
                self._kafka.records[topic].append(event)
        return Published(len(events))

    async def stop(self) -> None:
        if self._is_started:
            self._kafka.stopped += 1
        self._is_started = False


class SilentSignal:
    """No hint ever comes: only the poll."""

    is_connected = False

    async def wait(self, seconds_max: float) -> bool:
        await asyncio.sleep(seconds_max)
        return False


class HandSignal:
    """Hints by hand; polls never end by themselves."""

    def __init__(self) -> None:
        self.hinted = asyncio.Event()
        self.is_connected = True

    async def wait(self, seconds_max: float) -> bool:
        with suppress(TimeoutError):
            await self.hinted.wait()
        self.hinted.clear()
        return True
