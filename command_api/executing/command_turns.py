"""Turns of commands in this process: for one product, and for one idempotency key. Who would wait too long is
refused.

Without turns many commands for a popular product would all decide on the same version. Each time one would
win, and the others would use up their retries. A repeated request would be decided while the first one is
still being written. Commands of other processes still race; the expected version decides, and a key is
written once.
"""

from time import monotonic
from types import TracebackType
from typing import NamedTuple
from uuid import UUID

from command_api.executing.ports import KeyInUse, StoreOverloaded
from shared.ops.metrics.requests import KEY_QUEUE, PRODUCT_QUEUE
from shared.ops.overload.bounded_turns import BoundedTurns
from shared.ops.overload.work_queue import TurnedAway
from shared.telemetry import conventions as c
from shared.telemetry.waits import wait


class _Kind(NamedTuple):
    """What is waited for, and the refusal of who would wait too long."""

    wait_name: str
    error: type[StoreOverloaded]
    reason: str
    text: str


_OF_KEY = _Kind(
    c.WAIT_FOR_KEY, KeyInUse, KEY_QUEUE, "the first request with this idempotency key is not answered yet"
)
_OF_PRODUCT = _Kind(
    c.WAIT_FOR_PRODUCT, StoreOverloaded, PRODUCT_QUEUE, "too many commands for this product are waiting"
)


class Turn:
    """For an `async with` statement, which gives the seconds waited in all. Nearly every turn comes at once:
    that costs little.
    """

    __slots__ = ("_key", "_kind", "_turns", "_waited_seconds")

    def __init__(self, turns: BoundedTurns, kind: _Kind, key: UUID, waited_seconds: float) -> None:
        self._turns = turns
        self._kind = kind
        self._key = key
        self._waited_seconds = waited_seconds

    async def __aenter__(self) -> float:
        if self._turns.take_at_once(self._key):
            return self._waited_seconds
        try:
            with wait(self._kind.wait_name):
                return await self._turns.take(self._key, self._waited_seconds)
        except TurnedAway as turned_away:
            raise self._kind.error(self._kind.reason, self._kind.text) from turned_away

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turns.leave(self._key)


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

    def of_key(self, key: UUID) -> Turn:
        """The turn to wait for. Raises `KeyInUse` when it is entered: nothing was begun."""
        return Turn(self._keys, _OF_KEY, key, 0.0)

    def of_product(self, product_id: UUID, waited_seconds: float = 0.0) -> Turn:
        """The turn to wait for. Raises `StoreOverloaded` when it is entered: nothing was begun."""
        return Turn(self._products, _OF_PRODUCT, product_id, waited_seconds)
