"""Event log -> Kafka, in order, by one relay at a time: never skips, may repeat.

The cursor moves only over what Kafka has confirmed without a hole, so whatever fails (a relay killed, Kafka
away, PostgreSQL away, this relay deposed) is answered alike: stop, and go on from the cursor. What is sent
twice, consumers drop by its stream version; why that is enough: docs/decisions/0003-relay-fencing.md.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

from command_api.relay.ports import (
    AppendSignal,
    Chunk,
    Deposed,
    LogTail,
    LogUnavailable,
    OperatorNeeded,
    Publisher,
    PublishFailed,
    RelayError,
)
from shared.contract.recorded_event import RecordedEvent
from shared.ops.concurrency.waits import beside, pause
from shared.ops.logs import get_logger

RELAY_ACTIVE = Gauge("relay_active", "1 while this process holds the relay's lock, 0 on standby.")
RELAY_POSITION = Gauge("relay_position", "Log position up to which this process has seen all confirmed.")
RELAY_BATCH_EVENTS = Histogram(
    "relay_batch_events",
    "Events published as one chunk.",
    buckets=(1, 2, 5, 10, 50, 100, 500, 1000, 2000, 5000),
)
RELAY_RESTARTS = Counter("relay_restarts_total", "Forwarding was interrupted and begun anew.", ["reason"])

_CORRELATION_IDS_LOGGED_MAX = 10
_FAILURES_PER_LOG_LINE = 10
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RelayTimes:
    """Waits in seconds: polling (doubles from min to max while idle), standby, back-off after a failure."""

    poll_min: float = 0.003
    poll_max: float = 0.05
    lock_wait: float = 1.0
    retry_initial: float = 0.1
    retry_max: float = 5.0
    operator_wait: float = 15.0


@dataclass(slots=True)
class RelayStatus:
    """What readiness asks: whether this is the active relay, whether it forwards, and what holds it up."""

    is_active: bool = False
    is_forwarding: bool = False
    operator_needed: str | None = None


class Relay:
    """The use case. `beat` is called in every round of every wait, as a sign of life."""

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
        """Stand by, lead, start again, until `stop`; then the chunk on its way is finished and saved."""
        while not stop.is_set():
            try:
                await self._tenure(stop)
            except (LogUnavailable, Deposed) as error:
                self._interrupted(error)
                await self._back_off(stop)

    async def _tenure(self, stop: asyncio.Event) -> None:
        """From one connection to its end."""
        self._beat()
        log = await self._open_log()
        try:
            if await self._wait_for_turn(log, stop):
                self.status.is_active = True
                RELAY_ACTIVE.set(1)
                _log.info("this relay is active")
                await _while_held(log, self._lead(log, stop))
        finally:
            self.status.is_active = self.status.is_forwarding = False
            RELAY_ACTIVE.set(0)
            await log.close()

    async def _wait_for_turn(self, log: LogTail, stop: asyncio.Event) -> bool:
        while not stop.is_set():
            self._beat()
            if await log.try_lock():
                return True
            await pause(self._times.lock_wait * _jitter(), stop)
        return False

    async def _lead(self, log: LogTail, stop: asyncio.Event) -> None:
        """Publish with one publisher after the other; the lock is kept: Kafka's faults are not the log's."""
        while not stop.is_set():
            try:
                await self._publish(log, stop)
            except PublishFailed as error:
                self._interrupted(error)
                await self._back_off(stop)
            except OperatorNeeded as error:
                await self._stand_still(error, stop)

    async def _publish(self, log: LogTail, stop: asyncio.Event) -> None:
        """From one publisher's start to its first failure."""
        self._beat()
        publisher = self._new_publisher(log.log_id)
        try:
            await publisher.start()
            self.status.is_forwarding = True
            await self._forward(log, publisher, stop)
        finally:
            self.status.is_forwarding = False
            await publisher.stop()

    async def _stand_still(self, error: OperatorNeeded, stop: asyncio.Event) -> None:
        """Skipping would lose the event for every consumer: not ready, and loud, until it can be sent."""
        self.status.operator_needed = str(error)
        RELAY_RESTARTS.labels("operator_needed").inc()
        _log.critical(
            "the relay stands still until an operator mends this; nothing is skipped", error=str(error)
        )
        await pause(self._times.operator_wait, stop)

    async def _forward(self, log: LogTail, publisher: Publisher, stop: asyncio.Event) -> None:
        """Chunk after chunk. The next one is read and encoded while Kafka confirms the present one."""
        cursor = await log.read_cursor()
        RELAY_POSITION.set(cursor)
        idle_seconds = self._times.poll_min
        chunk = await _next_chunk(log, publisher, cursor)
        while not stop.is_set():
            self._beat()
            if not chunk.events:
                self._all_is_well()
                await self._appended.wait(idle_seconds)
                idle_seconds = min(idle_seconds * 2, self._times.poll_max)
                chunk = await _next_chunk(log, publisher, cursor)
                continue
            idle_seconds = self._times.poll_min
            last = chunk.events[-1].log_position
            async with beside(_next_chunk(log, publisher, last)) as following:
                published = await publisher.publish(chunk)
                cursor = await self._advance(log, cursor, chunk.events[: published.confirmed_events])
                if published.failure is not None:
                    raise published.failure
                self._all_is_well()
                chunk = await following

    async def _advance(self, log: LogTail, cursor: int, confirmed: Sequence[RecordedEvent]) -> int:
        if not confirmed:
            return cursor
        reached = confirmed[-1].log_position
        await log.move_cursor(cursor, reached)
        RELAY_POSITION.set(reached)
        RELAY_BATCH_EVENTS.observe(len(confirmed))
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
        reason = {PublishFailed: "publish_failed", Deposed: "deposed"}.get(type(error), "log_unavailable")
        RELAY_RESTARTS.labels(reason).inc()
        if self._failures % _FAILURES_PER_LOG_LINE == 0:
            _log.warning("relay interrupted, going on from the cursor", reason=reason, error=str(error))
        self._failures += 1

    async def _back_off(self, stop: asyncio.Event) -> None:
        """Full jitter up to a bound that doubles with each failure in a row; forgotten after a success."""
        bound = min(self._times.retry_initial * 2 ** min(self._failures, 16), self._times.retry_max)
        await pause(bound * random.random(), stop)  # noqa: S311 - spreads retries, guards nothing


async def _next_chunk(log: LogTail, publisher: Publisher, log_position: int) -> Chunk:
    return publisher.prepare(await log.read_after(log_position))


async def _while_held(log: LogTail, leading: Coroutine[Any, Any, None]) -> None:
    """Run `leading` until it ends or the lock's connection does, which ends it at once. Raises `Deposed`."""
    work, losing = asyncio.create_task(leading), asyncio.create_task(log.lost())
    try:
        await asyncio.wait((work, losing), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise Deposed("the connection that holds the lock is gone")
        work.result()
    finally:
        work.cancel()
        losing.cancel()
        await asyncio.gather(work, losing, return_exceptions=True)


def _jitter() -> float:
    """0.5 to 1.5, so that standbys do not ask in step."""
    return 0.5 + random.random()  # noqa: S311 - spreads retries, guards nothing
