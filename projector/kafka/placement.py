"""Which partitions a projection reads, which it does not read yet, and why: state without any I/O.

unassigned -> unplaced (paused) -> placed. After a transient error, partitions are unplaced again:
they stay paused, polling goes on (so the group keeps this member), and after a while they are placed again,
from their checkpoints. A stopped partition waits longer than the others, and is tried again now and then;
it counts as stopped until it goes past the place where it stopped, so that a gauge does not fall at each try.
"""

import time
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple
from uuid import UUID

from aiokafka import TopicPartition

STOPPED = "stopped: "
"""Begins a reason that does not end by itself, in the table `projection_lag`."""


class Stop(NamedTuple):
    """A partition does not go past `offset` for `seconds`; then it is tried again."""

    offset: int
    reason: str
    seconds: float
    is_loud: bool = True


class Placement:
    """The partitions of one consumer. `clock` gives monotonic seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.assigned: frozenset[TopicPartition] | None = None
        self.placed: dict[int, UUID] = {}
        self.waiting_because = "partitions are not assigned yet"
        self._clock = clock
        self._place_after = 0.0
        self._stops: dict[int, tuple[Stop, float]] = {}

    def assign(self, partitions: Collection[TopicPartition]) -> None:
        """This process has them now; where to begin is not known yet."""
        self.assigned = frozenset(partitions)
        self.wait("checkpoints are being loaded", 0.0)
        self._stops = {}

    def revoke(self) -> None:
        """Another process may have them now."""
        self.assigned = None
        self.wait("the consumer group is rebalancing", 0.0)
        self._stops = {}

    def wait(self, reason: str, seconds: float) -> None:
        """All partitions are unplaced for at least so many seconds."""
        self.placed = {}
        self.waiting_because = reason
        self._place_after = self._clock() + seconds

    def stop(self, partition: int, stop: Stop) -> None:
        """This partition is unplaced for as long as the stop says."""
        self.placed.pop(partition, None)
        self._stops[partition] = (stop, self._clock() + stop.seconds)

    def look_again(self) -> None:
        """An operator has acted: all waits end."""
        self._place_after = 0.0
        self._stops = {}

    def due(self) -> list[TopicPartition]:
        """The partitions that may be placed now."""
        now = self._clock()
        if self.assigned is None or now < self._place_after:
            return []
        return [tp for tp in self.assigned if tp.partition not in self.placed and self._is_due(tp, now)]

    def place(self, log_ids: Mapping[int, UUID]) -> None:
        """These are read from now on. A loud stop stays known until `reach` says that the try succeeded."""
        for partition in log_ids.keys() - self.stops.keys():
            self._stops.pop(partition, None)
        self.placed.update(log_ids)

    def reach(self, next_offsets: Mapping[int, int]) -> None:
        """All before these offsets is done: a partition that is past the place of its stop has no stop."""
        for partition, next_offset in next_offsets.items():
            stopped = self._stops.get(partition)
            if partition in self.placed and stopped is not None and next_offset > stopped[0].offset:
                del self._stops[partition]

    def trouble(self) -> str | None:
        """Why not all partitions are read, for readiness; None: all are."""
        if self.assigned is None:
            return self.waiting_because
        loud = [f"partition {at} stopped: {reason}" for at, reason in sorted(self.stops.items())]
        if loud:
            return "; ".join(loud)
        waits = len(self.placed) + len(self._stops) < len(self.assigned)
        return self.waiting_because if waits else None

    def trouble_in(self, partition: int) -> str | None:
        """Why this partition is not read."""
        stopped = self._stops.get(partition)
        if stopped is not None:
            stop = stopped[0]
            return f"{STOPPED}{stop.reason}" if stop.is_loud else stop.reason
        return None if partition in self.placed else self.waiting_because

    def has_stopped(self, partition: int) -> bool:
        """Whether it has a reason of its own for not going on."""
        return partition in self._stops

    @property
    def stops(self) -> dict[int, str]:
        """The stopped partitions, and why each is stopped, also while it is tried again.

        Partitions that only wait are absent.
        """
        return {partition: stop.reason for partition, (stop, _) in self._stops.items() if stop.is_loud}

    def _is_due(self, tp: TopicPartition, now: float) -> bool:
        stopped = self._stops.get(tp.partition)
        return stopped is None or now >= stopped[1]
