"""Read your writes: a reader with a Consistency-Token waits, within a limit, until its write is projected.

All waiting readers share one poller, so even a thousand cost one small query every few milliseconds. The
poller may ask another server than the one that then reads the rows: that one is asked again, with the rows.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar
from uuid import UUID

from query_api.applied import Applied
from query_api.consistency.ports import Checkpoints
from query_api.errors import Overloaded, ReadModelBehind
from shared.contract.consistency_token import ConsistencyToken
from shared.ops.concurrency.waits import cancelled, pause
from shared.ops.metrics.reads import CONSISTENCY_WAIT_SECONDS
from shared.ops.metrics.requests import WAITING_READERS
from shared.ops.overload.place import resting
from shared.telemetry import conventions as c
from shared.telemetry.spans import Attributes
from shared.telemetry.tracing import span

POLL_SECONDS_MIN = 0.004
POLL_SECONDS_MAX = 0.025
_IMPATIENT_POLLS = 10
# More than lead from the shortest time to the longest; without a bound the power overflows.
_DOUBLINGS_MAX = 8
_ASK_SECONDS = 0.1
T = TypeVar("T")
_waited, _waited_in_vain = (CONSISTENCY_WAIT_SECONDS.labels(one).observe for one in ("visible", "behind"))


@dataclass(frozen=True, slots=True)
class Consistency:
    """The write that a reader must see, and how long it waits for it."""

    token: ConsistencyToken
    wait_seconds: float

    def is_of(self, product_id: UUID) -> bool:
        """Whether the token has a version of this product, so that versions can be compared."""
        return self.token.product_id == product_id and self.token.stream_version is not None

    def is_met_by(self, product_id: UUID, stream_version: int) -> bool:
        """Whether this version of this product includes the write."""
        wanted = self.token.stream_version
        return wanted is not None and self.token.product_id == product_id and stream_version >= wanted


@dataclass(slots=True, eq=False)
class _Waiter:
    positions: Mapping[int, int]
    visible: asyncio.Future[None]


class Visibility:
    """Waits for checkpoints. At most `waiters_max` readers wait at the same time."""

    def __init__(self, checkpoints: Checkpoints, *, waiters_max: int) -> None:
        self._checkpoints = checkpoints
        self._waiters_max = waiters_max
        self._waiters: set[_Waiter] = set()
        self._poller: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()

    async def read(self, consistency: Consistency, load: Callable[[Applied], Awaitable[T]]) -> T:
        """What `load` returns from a server that has passed the token's positions; it raises
        `ReadModelBehind` on another one. Raises that after `wait_seconds`, and what `wait` raises.
        """
        applied = self._checkpoints.applied(consistency.token.positions)
        ends = perf_counter() + consistency.wait_seconds
        await self.wait(consistency)
        while True:
            try:
                return await load(applied)
            except ReadModelBehind:
                if perf_counter() >= ends:
                    raise
            # Not through the poller: where a pooler takes two servers in turn, it always meets the other one.
            with resting():
                await asyncio.sleep(POLL_SECONDS_MAX)

    async def wait(self, consistency: Consistency) -> None:
        """Return when the projection has passed the token's positions.

        Raises `ReadModelBehind` after `wait_seconds`, `Overloaded`, or what the checkpoints raise. The
        checkpoints are read at least once, even if they were seen before: after a restore the read model may
        be behind again.
        """
        wanted = consistency.token.positions
        if not wanted:
            return
        with span(c.WAIT_FOR_WRITE) as own:
            if own.is_recorded:
                own.set(_positions(wanted))
            await self._wait(wanted, consistency.wait_seconds)

    async def _wait(self, wanted: Mapping[int, int], seconds: float) -> None:
        if len(self._waiters) >= self._waiters_max:
            raise Overloaded(WAITING_READERS, "too many readers are waiting for their writes")
        waiter = _Waiter(wanted, asyncio.get_running_loop().create_future())
        self._waiters.add(waiter)
        self._start_polling()
        began = perf_counter()
        try:
            # `wait=0` also reads the checkpoints once, which takes a moment.
            async with asyncio.timeout(max(seconds, _ASK_SECONDS)):
                with resting():
                    await waiter.visible
            _waited(perf_counter() - began)
        except TimeoutError as error:
            _waited_in_vain(perf_counter() - began)
            raise ReadModelBehind("the write that the token stands for is not visible yet") from error
        finally:
            self._waiters.discard(waiter)

    @property
    def waiting(self) -> int:
        """The number of waiting readers."""
        return len(self._waiters)

    async def close(self) -> None:
        """End the poller; no reader may be waiting any more."""
        if self._poller is not None:
            await cancelled(self._poller)

    def _start_polling(self) -> None:
        self._arrived.set()
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll(), name="checkpoint-poller")

    async def _poll(self) -> None:
        """Poll while readers wait: often after one has arrived, then less and less often while nothing
        changes.
        """
        unmoved = 0
        seen: Mapping[int, int] = {}
        while self._waiters:
            self._arrived.clear()
            try:
                positions = await self._checkpoints.positions()
            except Exception as error:
                self._fail(error)
                continue
            self._release(positions)
            unmoved = 0 if positions != seen else unmoved + 1
            seen = positions
            await self._pause(poll_seconds(unmoved))

    async def _pause(self, seconds: float) -> None:
        """Pause. A new reader shortens the pause, but not below the minimum, so that many readers share one
        query.
        """
        await asyncio.sleep(POLL_SECONDS_MIN)
        await pause(seconds - POLL_SECONDS_MIN, self._arrived)

    def _release(self, positions: Mapping[int, int]) -> None:
        for waiter in self._waiters:
            wanted = waiter.positions.items()
            if not waiter.visible.done() and all(
                positions.get(at, -1) >= position for at, position in wanted
            ):
                waiter.visible.set_result(None)

    def _fail(self, error: Exception) -> None:
        """Every waiting reader gets the error at once."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.visible.done():
                waiter.visible.set_exception(error)


def poll_seconds(unmoved: int) -> float:
    """The time until the next poll, after this many polls in a row that found nothing new."""
    doublings = min(max(0, unmoved - _IMPATIENT_POLLS), _DOUBLINGS_MAX)
    return min(POLL_SECONDS_MIN * 2.0**doublings, POLL_SECONDS_MAX)


def _positions(wanted: Mapping[int, int]) -> Attributes:
    """The trace of the write has the same position: a token has no place for a trace context."""
    attributes = {c.LOG_POSITIONS: [f"{partition}:{position}" for partition, position in wanted.items()]}
    return attributes if len(wanted) > 1 else {**attributes, c.LOG_POSITION: max(wanted.values())}
