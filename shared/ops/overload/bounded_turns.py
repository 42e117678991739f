"""Gives turns per key, in the order of arrival; nobody waits for long.

Without a bound all callers of one popular key would wait for each other and be late. A caller that waits
gives its place in the work queue to requests for other keys.
"""

from collections.abc import Callable, Hashable

from shared.ops.overload.lanes import Lane
from shared.ops.overload.place import resting
from shared.ops.overload.work_queue import QueueLimits, WorkQueue

_LANE = "key"


class BoundedTurns:
    """Turns by key. Keys without a holder use no memory; a queue is made for the first that waits."""

    def __init__(
        self, *, seconds_max: float, standing_seconds_max: float, clock: Callable[[], float]
    ) -> None:
        self._limits = QueueLimits(1, seconds_max, standing_seconds_max)
        self._clock = clock
        self._queues: dict[Hashable, WorkQueue] = {}
        self._users: dict[Hashable, int] = {}

    def is_taken(self, key: Hashable) -> bool:
        """Whether a caller has this key's turn now, so that the next one waits."""
        return key in self._users

    def take_at_once(self, key: Hashable) -> bool:
        """Take the key's turn until `leave`, if nobody has it."""
        if key in self._users:
            return False
        self._users[key] = 1
        return True

    async def take(self, key: Hashable, waited_seconds: float = 0.0) -> float:
        """Wait for the key's turn, and tell for how long in all; the next one begins with `leave`.

        `waited_seconds` is what the caller has waited before. Raises `TurnedAway`.
        """
        if self.take_at_once(key):
            return waited_seconds
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = WorkQueue(self._limits, [Lane(_LANE)], clock=self._clock)
            queue.take(_LANE)  # for whoever has the turn
        self._users[key] += 1
        began = self._clock() - waited_seconds
        try:
            with resting():
                await queue.enter(_LANE, waited_seconds)
        except BaseException:
            self._forget(key)
            raise
        return self._clock() - began

    def leave(self, key: Hashable) -> None:
        """The turn ends."""
        queue = self._queues.get(key)
        if queue is not None:
            queue.leave(_LANE)
        self._forget(key)

    def _forget(self, key: Hashable) -> None:
        self._users[key] -= 1
        if not self._users[key]:
            del self._users[key]
            self._queues.pop(key, None)
