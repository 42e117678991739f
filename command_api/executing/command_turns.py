"""Turns of commands in this process: for one product, and for one idempotency key. Who would wait too long is
refused.

Without turns many commands for a popular product would all decide on the same version. Each time one would
win, and the others would use up their retries. A repeated request would be decided while the first one is
still being written. Commands of other processes still race; the expected version decides, and a key is
written once.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic
from uuid import UUID

from command_api.executing.ports import KeyInUse, StoreOverloaded
from shared.ops.metrics.requests import KEY_QUEUE, PRODUCT_QUEUE
from shared.ops.overload.bounded_turns import BoundedTurns
from shared.ops.overload.work_queue import TurnedAway
from shared.telemetry import conventions as c
from shared.telemetry.waits import wait


class CommandTurns:
    """A command waits for earlier ones for its product for `seconds_max` at most, and for
    `standing_seconds_max` while their queue does not end; for the first one with its key for
    `key_seconds_max`. What it waited before counts.
    """

    def __init__(self, *, seconds_max: float, standing_seconds_max: float, key_seconds_max: float) -> None:
        self._products = BoundedTurns(
            seconds_max=seconds_max, standing_seconds_max=standing_seconds_max, clock=monotonic
        )
        self._keys = BoundedTurns(
            seconds_max=key_seconds_max, standing_seconds_max=key_seconds_max, clock=monotonic
        )

    def key_is_taken(self, key: UUID) -> bool:
        """Whether a command with this key is running, so that the next one waits."""
        return self._keys.is_taken(key)

    @asynccontextmanager
    async def of_key(self, key: UUID) -> AsyncIterator[float]:
        """Wait for the turn; the seconds waited. Raises `KeyInUse`: nothing was begun."""
        async with AsyncExitStack() as stack:
            try:
                with wait(c.WAIT_FOR_KEY):
                    waited_seconds = await stack.enter_async_context(self._keys.of(key))
            except TurnedAway as turned_away:
                text = "the first request with this idempotency key is not answered yet"
                raise KeyInUse(KEY_QUEUE, text) from turned_away
            yield waited_seconds

    @asynccontextmanager
    async def of_product(self, product_id: UUID, waited_seconds: float = 0.0) -> AsyncIterator[float]:
        """Wait for the turn; the seconds waited in all. Raises `StoreOverloaded`: nothing was begun."""
        async with AsyncExitStack() as stack:
            try:
                with wait(c.WAIT_FOR_PRODUCT):
                    waited = await stack.enter_async_context(self._products.of(product_id, waited_seconds))
            except TurnedAway as turned_away:
                text = "too many commands for this product are waiting"
                raise StoreOverloaded(PRODUCT_QUEUE, text) from turned_away
            yield waited
