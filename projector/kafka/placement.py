"""Which partitions a projection reads, which it may not read yet, and why: state without any I/O.

unassigned -> unplaced (paused) -> placed. Whatever goes wrong for a while makes partitions unplaced again:
they stay paused, polling goes on (the group membership lives), and after a while they are placed anew, from
their checkpoints. A stopped partition is one that has to wait longer than the others.
"""

import time
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple
from uuid import UUID

from aiokafka import TopicPartition

STOPPED = "stopped: "
"""How the reason of what does not end by itself begins, where a reader of `projection_lag` sees it."""


class Stop(NamedTuple):
    """A partition goes no further than `offset` for `seconds`; then it looks again."""

    offset: int
    reason: str
    seconds: float
    is_loud: bool = True


class Placement:
    """Of one consumer. `clock` gives monotonic seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.assigned: frozenset[TopicPartition] | None = None
        self.placed: dict[int, UUID] = {}
        self.waiting_because = "partitions are not assigned yet"
        self._clock = clock
        self._place_after = 0.0
        self._stops: dict[int, tuple[Stop, float]] = {}

    def assign(self, partitions: Collection[TopicPartition]) -> None:
        """They are ours; where to begin in them is not known yet."""
        self.assigned = frozenset(partitions)
        self.wait("checkpoints are being loaded", 0.0)
        self._stops = {}

    def revoke(self) -> None:
        """They are someone else's."""
        self.assigned = None
        self.wait("the group rebalances", 0.0)
        self._stops = {}

    def wait(self, reason: str, seconds: float) -> None:
        """All of them are unplaced for at least so long."""
        self.placed = {}
        self.waiting_because = reason
        self._place_after = self._clock() + seconds

    def stop(self, partition: int, stop: Stop) -> None:
        """This one is unplaced for as long as the stop says."""
        self.placed.pop(partition, None)
        self._stops[partition] = (stop, self._clock() + stop.seconds)

    def look_again(self) -> None:
        """An operator has done something: nobody waits any longer."""
        self._place_after = 0.0
        self._stops = {}

    def due(self) -> list[TopicPartition]:
        """What may be placed now."""
        now = self._clock()
        if self.assigned is None or now < self._place_after:
            return []
        return [tp for tp in self.assigned if tp.partition not in self.placed and self._is_due(tp, now)]

    def place(self, log_ids: Mapping[int, UUID]) -> None:
        """These are read from now on."""
        for partition in log_ids:
            self._stops.pop(partition, None)
        self.placed.update(log_ids)

    def trouble(self) -> str | None:
        """Why not all of it is read, for readiness; None when it is."""
        if self.assigned is None:
            return self.waiting_because
        loud = [f"partition {at} stopped: {reason}" for at, reason in sorted(self.stops.items())]
        if loud:
            return "; ".join(loud)
        waits = len(self.placed) + len(self._stops) < len(self.assigned)
        return self.waiting_because if waits else None

    def trouble_in(self, partition: int) -> str | None:
        """Why this one is not read."""
        stopped = self._stops.get(partition)
        if stopped is not None:
            stop = stopped[0]
            return f"{STOPPED}{stop.reason}" if stop.is_loud else stop.reason
        return None if partition in self.placed else self.waiting_because

    @property
    def stops(self) -> dict[int, str]:
        """Why each partition is stopped that is not simply waiting for something to be due."""
        return {partition: stop.reason for partition, (stop, _) in self._stops.items() if stop.is_loud}

    def _is_due(self, tp: TopicPartition, now: float) -> bool:
        stopped = self._stops.get(tp.partition)
        return stopped is None or now >= stopped[1]
