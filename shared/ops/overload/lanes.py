"""One kind of request in the queue for work: who waits, and how fast the queue moves."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

# How much the newest of the times between two requests counts: an average of about the last ten.
_NEWEST_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Lane:
    """Requests of one kind. At most `places_max` of them are worked on at one time; None: all places."""

    name: str
    places_max: int | None = None


@dataclass(slots=True, eq=False)
class Waiting:
    """One request that waits. `since` is when it arrived, on the clock of the queue."""

    since: float
    admitted: "asyncio.Future[bool]"
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True, eq=False)
class LaneState:
    """The queue of a lane. `busy_since`: since when it was never empty."""

    lane: Lane
    at_work: int = 0
    waiting: deque[Waiting] = field(default_factory=deque)
    busy_since: float | None = None
    _last_taken: float | None = None
    _seconds_each: float | None = None

    @property
    def is_full(self) -> bool:
        """Whether the lane's own limit is reached."""
        return self.lane.places_max is not None and self.at_work >= self.lane.places_max

    def push(self, waiting: Waiting) -> None:
        """At the end."""
        if self.busy_since is None:
            self.busy_since = waiting.since
        self.waiting.append(waiting)

    def drop_ended(self) -> None:
        """Remove requests from the front that wait no more. When nobody waits, what was measured is
        forgotten: it says nothing about the next queue.
        """
        while self.waiting and self.waiting[0].admitted.done():
            self.waiting.popleft()
        if not self.waiting:
            self.busy_since = self._last_taken = self._seconds_each = None

    def measure(self, now: float) -> None:
        """A waiting request has got its place."""
        if self._last_taken is not None:
            taken = now - self._last_taken
            known = self._seconds_each
            self._seconds_each = taken if known is None else known + (taken - known) * _NEWEST_SHARE
        self._last_taken = now

    def expected_seconds(self) -> float | None:
        """How long a request that came now would wait, at the rate of late; None if none is known."""
        return None if self._seconds_each is None else (len(self.waiting) + 1) * self._seconds_each
