"""Turns of commands for one product, in this process; a command that would wait too long is refused.

Without turns many commands for a popular product would all decide on the same version. Each time one would
win, and the others would use up their retries. Commands of other processes still race; the expected version
decides.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic
from uuid import UUID

from command_api.executing.ports import StoreOverloaded
from shared.ops.overload.bounded_turns import BoundedTurns
from shared.ops.overload.work_queue import TurnedAway


class ProductTurns:
    """A command waits for earlier ones for its product for `seconds_max` at most, and for
    `standing_seconds_max` while their queue does not end.
    """

    def __init__(self, *, seconds_max: float = 2.0, standing_seconds_max: float = 0.2) -> None:
        self._turns = BoundedTurns(
            seconds_max=seconds_max, standing_seconds_max=standing_seconds_max, clock=monotonic
        )

    @asynccontextmanager
    async def of(self, product_id: UUID) -> AsyncIterator[None]:
        """Wait for the turn. Raises `StoreOverloaded`: nothing was begun."""
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._turns.of(product_id))
            except TurnedAway as turned_away:
                raise StoreOverloaded("too many commands for this product are waiting") from turned_away
            yield
