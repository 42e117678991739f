"""Gives turns per key, in the order of arrival; nobody waits for long.

Without a bound all callers of one popular key would wait for each other and be late. A caller that waits
gives its place in the work queue to requests for other keys.
"""

from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager

from shared.ops.overload.lanes import Lane
from shared.ops.overload.place import resting
from shared.ops.overload.work_queue import QueueLimits, WorkQueue

_LANE = "key"


class BoundedTurns:
    """Work queues with one place, by key; keys without holder and waiters use no memory."""

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

    @asynccontextmanager
    async def of(self, key: Hashable, waited_seconds: float = 0.0) -> AsyncIterator[float]:
        """Wait for the key's turn, and tell for how long in all; the next one begins at the end of the block.

        `waited_seconds` is what the caller has waited before. Raises `TurnedAway`.
        """
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = WorkQueue(self._limits, [Lane(_LANE)], clock=self._clock)
        self._users[key] = self._users.get(key, 0) + 1
        try:
            if not queue.enter_at_once(_LANE):
                began = self._clock() - waited_seconds
                with resting():
                    await queue.enter(_LANE, waited_seconds)
                waited_seconds = self._clock() - began
            try:
                yield waited_seconds
            finally:
                queue.leave(_LANE)
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._queues[key]
