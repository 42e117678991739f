"""The loop of a process that delivers webhooks. Any number of processes may run it.

Every second it looks for changes of endpoints. While there are endpoints it also looks for new events,
several times a second.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from projector.control.ports import Control, PartitionLag
from projector.control.trouble import Trouble
from projector.errors import ProjectorError
from projector.webhooks.deliver import Deliverer
from projector.webhooks.endpoint_changes import EndpointChanges
from projector.webhooks.fan_out import FanOut
from projector.webhooks.ports import Endpoint, Endpoints, Notices, Queue
from projector.webhooks.read_lag import ReadLag
from shared.ops.concurrency.waits import pause, until_turn
from shared.ops.measuring import unknown
from shared.ops.metrics.webhooks import (
    DISABLED_ENDPOINTS,
    ENDPOINTS,
    FAILING_PRODUCTS,
    READ_LAG_SECONDS,
    WAITING,
    WAITING_SECONDS,
)

NAME = "webhooks"
_COUNT_SECONDS = 5.0
_PURGED_MAX = 5_000
_GAUGES = (ENDPOINTS, DISABLED_ENDPOINTS, WAITING, FAILING_PRODUCTS, WAITING_SECONDS)


class Parts(NamedTuple):
    """What the loop runs."""

    changes: EndpointChanges
    endpoints: Endpoints
    queue: Queue
    fan_out: FanOut
    deliverer: Deliverer
    notices: Notices


class LoopTimes(NamedTuple):
    """How often it looks for events, for changes of endpoints and for old deliveries; how long it waits after
    an outage, and at a stop for attempts. Seconds.
    """

    poll_seconds: float
    endpoints_poll_seconds: float
    purge_seconds: float
    outage_pause_seconds: float
    finish_seconds_max: float


class WebhookLoop:
    """A `Background`: it can be paused like a projection."""

    name = NAME
    topic = NAME

    def __init__(self, parts: Parts, times: LoopTimes, *, days_kept: int) -> None:
        self._parts = parts
        self._times = times
        self._days_kept = days_kept
        self._is_paused = False
        self._read_lag = ReadLag()
        self._trouble = Trouble(NAME, "webhooks are not delivered")
        self._open: Sequence[Endpoint] = ()
        self._log_id: UUID | None = None
        self._look_at = self._poll_at = self._count_at = self._purge_at = 0.0

    def obey(self, control: Control) -> None:
        """A paused loop sends nothing; events wait in the log."""
        self._is_paused = control.is_paused

    def lags(self) -> Sequence[PartitionLag]:
        """None: metrics tell what waits."""
        return ()

    async def check(self) -> None:
        """For readiness. Raises `Unavailable` with the reason."""
        self._trouble.check()

    async def run(self) -> None:
        """Until cancelled; then it waits for what is being sent, so that it is not sent again."""
        try:
            while True:
                try:
                    await self._turn()
                except Exception as error:
                    self._trouble.tell(error)
                    self._look_at = 0.0
                    await asyncio.sleep(self._times.outage_pause_seconds)
                else:
                    self._trouble.tell(None)
                    await self._rest()
        finally:
            with suppress(ProjectorError):
                await asyncio.shield(self._parts.deliverer.finish(self._times.finish_seconds_max))

    async def _turn(self) -> None:
        """Raises `Unavailable`."""
        try:
            await self._read_and_deliver()
        finally:
            READ_LAG_SECONDS.set(self._read_lag.seconds())

    async def _read_and_deliver(self) -> None:
        now = time.monotonic()
        if now >= self._look_at:
            await self._look(now)
        if self._is_paused or not self._open:
            self._read_lag.read(self._read_lag.now())
        if self._is_paused:
            await self._parts.deliverer.store_results()
            return
        if self._open and self._log_id is not None and now >= self._poll_at:
            began = self._read_lag.now()
            self._open, is_behind, read_until = await self._parts.fan_out.turn(self._open, self._log_id)
            self._read_lag.read(began if read_until is None else read_until)
            self._poll_at = now if is_behind else now + until_turn(self._times.poll_seconds)
        await self._parts.deliverer.turn(self._open)

    async def _look(self, now: float) -> None:
        """For changes of endpoints, and what is seldom due."""
        self._log_id = await self._parts.changes.turn()
        self._open = await self._parts.endpoints.open_endpoints()
        if now >= self._count_at:
            await self._count()
            self._count_at = now + _COUNT_SECONDS
        if now >= self._purge_at:
            purged = await self._parts.queue.purge(self._days_kept, _PURGED_MAX)
            self._purge_at = now + (self._times.purge_seconds if purged < _PURGED_MAX else 0.0)
        self._look_at = now + until_turn(self._times.endpoints_poll_seconds)

    async def _count(self) -> None:
        try:
            waiting = await self._parts.queue.waiting()
        except ProjectorError:
            unknown(_GAUGES)
            raise
        for gauge, value in zip(_GAUGES, waiting, strict=True):
            gauge.set(value)
        if waiting.disabled_endpoints:
            untold = await self._parts.queue.untold()
            known = [each.endpoint_id for each in untold if await self._parts.notices.tell(each)]
            await self._parts.queue.told(known)

    async def _rest(self) -> None:
        """Until there are results to store, or the next look."""
        deliverer = self._parts.deliverer
        next_turn = min(self._look_at, self._poll_at) if self._open and not self._is_paused else self._look_at
        seconds = next_turn - time.monotonic()
        if seconds <= 0:
            await asyncio.sleep(0)
        elif deliverer.is_sending:
            await pause(seconds, deliverer.has_results)
        else:
            await asyncio.sleep(seconds)
