"""Read your writes: a reader that sends its Consistency-Token waits, bounded, until its write is projected.

All waiting readers share one poller, so that a thousand of them cost one small query every few milliseconds.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from query_api.consistency.ports import Checkpoints
from query_api.errors import Overloaded, ReadModelBehind
from shared.contract.consistency_token import ConsistencyToken

POLL_SECONDS_MIN = 0.004
POLL_SECONDS_MAX = 0.025
_IMPATIENT_POLLS = 10
_ASK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Consistency:
    """What a reader insists on seeing, and how long it would wait for it."""

    token: ConsistencyToken
    wait_seconds: float

    def is_of(self, product_id: UUID) -> bool:
        """Whether a version of this product can be proof at all."""
        return self.token.product_id == product_id and self.token.stream_version is not None

    def is_met_by(self, product_id: UUID, stream_version: int) -> bool:
        """Whether having this version of this product at hand is proof enough."""
        wanted = self.token.stream_version
        return wanted is not None and self.token.product_id == product_id and stream_version >= wanted


@dataclass(slots=True, eq=False)
class _Waiter:
    positions: Mapping[int, int]
    visible: asyncio.Future[None]


class Visibility:
    """Waits for checkpoints. `waiters_max` readers at most wait at the same time."""

    def __init__(self, checkpoints: Checkpoints, *, waiters_max: int) -> None:
        self._checkpoints = checkpoints
        self._waiters_max = waiters_max
        self._waiters: set[_Waiter] = set()
        self._poller: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()

    async def wait(self, consistency: Consistency) -> None:
        """Return when the projection has passed the token's positions.

        Raises `ReadModelBehind` after `wait_seconds`, `Overloaded`, or what the checkpoints raise. The
        checkpoints are asked at least once, whatever was seen before: a restored read model may be behind
        again.
        """
        if not consistency.token.positions:
            return
        if len(self._waiters) >= self._waiters_max:
            raise Overloaded("too many readers are waiting for their writes")
        waiter = _Waiter(consistency.token.positions, asyncio.get_running_loop().create_future())
        self._waiters.add(waiter)
        self._start_polling()
        try:
            # Also `wait=0` asks once, and an answer takes a moment.
            async with asyncio.timeout(max(consistency.wait_seconds, _ASK_SECONDS)):
                await waiter.visible
        except TimeoutError as error:
            raise ReadModelBehind("the write that the token stands for is not visible yet") from error
        finally:
            self._waiters.discard(waiter)

    @property
    def waiting(self) -> int:
        """How many readers wait now."""
        return len(self._waiters)

    async def close(self) -> None:
        """End the poller, when nobody waits any more."""
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    def _start_polling(self) -> None:
        self._arrived.set()
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll(), name="checkpoint-poller")

    async def _poll(self) -> None:
        """Ask while anybody waits: often for who has just come, ever more slowly while nothing moves."""
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
            patience = max(0, unmoved - _IMPATIENT_POLLS)
            await self._pause(min(POLL_SECONDS_MIN * 2**patience, POLL_SECONDS_MAX))

    async def _pause(self, seconds: float) -> None:
        """Shorter for who has just come, but never below the minimum: a busy reader costs no query each."""
        await asyncio.sleep(POLL_SECONDS_MIN)
        try:
            async with asyncio.timeout(seconds - POLL_SECONDS_MIN):
                await self._arrived.wait()
        except TimeoutError:
            return

    def _release(self, positions: Mapping[int, int]) -> None:
        for waiter in self._waiters:
            wanted = waiter.positions.items()
            if not waiter.visible.done() and all(
                positions.get(at, -1) >= position for at, position in wanted
            ):
                waiter.visible.set_result(None)

    def _fail(self, error: Exception) -> None:
        """Everybody who waits hears why; nobody would be served by waiting on."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.visible.done():
                waiter.visible.set_exception(error)
