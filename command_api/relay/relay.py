"""Publishes the event log to Kafka in order, one relay at a time: it never skips an event, and may repeat
some.

The cursor moves only over events that Kafka has confirmed without a gap. So every failure (a relay killed,
Kafka or PostgreSQL unavailable, this relay replaced by another) has the same answer: stop, and continue from
the cursor. Consumers recognise duplicates by their stream version (docs/decisions/0003-relay-fencing.md says
why that is enough).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from command_api.relay.lost_future import refuse_lost_future
from command_api.relay.pace import IdlePolls, RelayTimes
from command_api.relay.ports import (
    AppendSignal,
    Chunk,
    LogTail,
    LogUnavailable,
    OperatorNeeded,
    Publisher,
    PublishFailed,
    RelayError,
    RelayReplaced,
)
from shared.contract.recorded_event import RecordedEvent
from shared.ops.concurrency.waits import beside, pause, run_until
from shared.ops.logs import get_logger
from shared.ops.metrics.declare import observe_many
from shared.ops.metrics.relay import (
    RELAY_ACTIVE,
    RELAY_BATCH_EVENTS,
    RELAY_DELIVERY_SECONDS,
    RELAY_POSITION,
    RELAY_RESTARTS,
)

_CORRELATION_IDS_LOGGED_MAX = 10
_FAILURES_PER_LOG_LINE = 10
_SMALL_CHUNK_EVENTS = 100
_log = get_logger(__name__)


@dataclass(slots=True)
class RelayStatus:
    """For the readiness check: whether this relay is active or another one is, whether it publishes, and why
    it has stopped.
    """

    is_active: bool = False
    is_standby: bool = False
    is_forwarding: bool = False
    operator_needed: str | None = None


class Relay:
    """The use case. Every loop calls `beat` in each round, so that liveness notices a relay that hangs."""

    def __init__(
        self,
        *,
        open_log: Callable[[], Awaitable[LogTail]],
        new_publisher: Callable[[bytes], Publisher],
        appended: AppendSignal,
        times: RelayTimes | None = None,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self.status = RelayStatus()
        self._open_log = open_log
        self._new_publisher = new_publisher
        self._appended = appended
        self._times = times or RelayTimes()
        self._beat = beat
        self._failures = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Stand by, publish, start again, until `stop`; then finish the chunk in flight and save the
        cursor.
        """
        while not stop.is_set():
            try:
                await self._tenure(stop)
            except (LogUnavailable, RelayReplaced) as error:
                self._interrupted(error)
                await self._back_off(stop)

    async def _tenure(self, stop: asyncio.Event) -> None:
        """Use one connection to the log until it ends."""
        self._beat()
        log = await self._open_log()
        try:
            if await self._wait_for_turn(log, stop):
                self.status.is_active = True
                RELAY_ACTIVE.set(1)
                _log.info("this relay is active")
                if not await run_until(log.lost(), self._lead(log, stop)):
                    raise RelayReplaced("the connection that holds the lock is lost")
        finally:
            self.status.is_active = self.status.is_standby = self.status.is_forwarding = False
            RELAY_ACTIVE.set(0)
            await log.close()

    async def _wait_for_turn(self, log: LogTail, stop: asyncio.Event) -> bool:
        while not stop.is_set():
            self._beat()
            if await log.try_lock():
                self.status.is_standby = False
                return True
            self.status.is_standby = True
            await pause(self._times.next_lock_wait(), stop)
        return False

    async def _lead(self, log: LogTail, stop: asyncio.Event) -> None:
        """Publish, with a new publisher after each failure of Kafka. The lock is held all the time."""
        while not stop.is_set():
            try:
                await self._publish(log, stop)
            except PublishFailed as error:
                self._interrupted(error)
                await self._back_off(stop)
            except OperatorNeeded as error:
                await self._stand_still(error, stop)

    async def _publish(self, log: LogTail, stop: asyncio.Event) -> None:
        """Use one publisher from its start to its first failure."""
        self._beat()
        publisher = self._new_publisher(log.log_id)
        try:
            await publisher.start(await _published(log))
            await refuse_lost_future(log, await publisher.newest())
            self.status.is_forwarding = True
            await self._forward(log, publisher, stop)
        finally:
            self.status.is_forwarding = False
            await publisher.stop()

    async def _stand_still(self, error: OperatorNeeded, stop: asyncio.Event) -> None:
        """Waits: to skip the event would lose it for every consumer. The relay is not ready until it can send
        it.
        """
        self.status.operator_needed = str(error)
        RELAY_RESTARTS.labels(error.reason).inc()
        _log.critical(
            "relay stopped: an operator must repair the cause; no event is skipped", error=str(error)
        )
        await pause(self._times.operator_wait, stop)

    async def _forward(self, log: LogTail, publisher: Publisher, stop: asyncio.Event) -> None:
        """Publish chunk after chunk. While Kafka confirms a large one, the next is read and encoded; after a
        small one there is an interval, since a chunk costs about the same with one event or many.
        """
        cursor = await log.read_cursor()
        RELAY_POSITION.set(cursor)
        polls = IdlePolls(self._times, self._appended)
        chunk = await _next_chunk(log, publisher, cursor)
        checked_at = time.monotonic()
        while not stop.is_set():
            self._beat()
            if not chunk.events:
                if time.monotonic() - checked_at > self._times.check:
                    await self._check(log, publisher, cursor)
                    checked_at = time.monotonic()
                self._all_is_well()
                await polls.wait()
                chunk = await _next_chunk(log, publisher, cursor)
                continue
            polls.found()
            if len(chunk.events) < _SMALL_CHUNK_EVENTS and self._times.chunk_interval:
                began = time.monotonic()
                cursor = await self._publish_chunk(log, publisher, chunk, cursor)
                await pause(began + self._times.chunk_interval - time.monotonic(), stop)
                chunk = await _next_chunk(log, publisher, cursor)
                continue
            last = chunk.events[-1].log_position
            async with beside(_next_chunk(log, publisher, last)) as following:
                cursor = await self._publish_chunk(log, publisher, chunk, cursor)
                chunk = await following

    async def _publish_chunk(self, log: LogTail, publisher: Publisher, chunk: Chunk, cursor: int) -> int:
        """Returns the new cursor: after all events of the chunk, since a failure is raised."""
        published = await publisher.publish(chunk)
        cursor = await self._advance(log, cursor, chunk.events[: published.confirmed_events])
        if published.failure is not None:
            raise published.failure
        self._all_is_well()
        return cursor

    async def _check(self, log: LogTail, publisher: Publisher, cursor: int) -> None:
        """Nothing is published, so nothing else would notice topics that are lost, or a cursor set back."""
        if await log.read_cursor() != cursor:
            raise RelayReplaced(f"the cursor is no longer at {cursor}")
        await publisher.check(await _published(log))

    async def _advance(self, log: LogTail, cursor: int, confirmed: Sequence[RecordedEvent]) -> int:
        if not confirmed:
            return cursor
        reached = confirmed[-1].log_position
        await log.move_cursor(cursor, reached)
        RELAY_POSITION.set(reached)
        RELAY_BATCH_EVENTS.observe(len(confirmed))
        now = datetime.now(UTC)
        ages = (max(0.0, (now - event.recorded_at).total_seconds()) for event in confirmed)
        observe_many(RELAY_DELIVERY_SECONDS, ages)
        few = confirmed if len(confirmed) <= _CORRELATION_IDS_LOGGED_MAX else ()
        _log.debug(
            "published",
            events=len(confirmed),
            log_position=reached,
            correlation_ids=[event.metadata.correlation_id for event in few],
        )
        return reached

    def _all_is_well(self) -> None:
        self._failures = 0
        self.status.operator_needed = None

    def _interrupted(self, error: RelayError) -> None:
        RELAY_RESTARTS.labels(error.reason).inc()
        if self._failures % _FAILURES_PER_LOG_LINE == 0:
            _log.warning(
                "relay interrupted, continues from its cursor", reason=error.reason, error=str(error)
            )
        self._failures += 1

    async def _back_off(self, stop: asyncio.Event) -> None:
        await pause(self._times.back_off(self._failures), stop)


async def _published(log: LogTail) -> Sequence[RecordedEvent]:
    """The beginning of the log, as far as it is published."""
    cursor = await log.read_cursor()
    return [one for one in await log.read_after(0) if one.log_position <= cursor] if cursor else ()


async def _next_chunk(log: LogTail, publisher: Publisher, log_position: int) -> Chunk:
    return publisher.prepare(await log.read_after(log_position))
