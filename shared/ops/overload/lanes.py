"""One kind of request in the queue for work: who waits, whose turn it is, and how fast the queue moves."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

# How much the newest of the times between two requests counts: an average of about the last ten.
_NEWEST_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Lane:
    """Requests of one kind. At most `places_max` of them are worked on at one time; None: all places.

    `rests`: a request that only waits gives its place to others. A batch does not: while one of its
    operations waits, the others work.
    """

    name: str
    places_max: int | None = None
    rests: bool = True


@dataclass(slots=True, eq=False)
class Waiting:
    """One request that waits. `since` is when it arrived, on the clock of the queue."""

    caller: str
    since: float
    admitted: "asyncio.Future[bool]"
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True, eq=False)
class LaneState:
    """The queues of a lane, one for each caller; the callers take turns. `busy_since`: since when somebody
    always waits.
    """

    lane: Lane
    at_work: int = 0
    at_work_of: dict[str, int] = field(default_factory=dict)
    busy_since: float | None = None
    _queues: OrderedDict[str, deque[Waiting]] = field(default_factory=OrderedDict)
    _last_taken: float | None = None
    _seconds_each: float | None = None

    @property
    def is_full(self) -> bool:
        """Whether the lane's own limit is reached."""
        return self.lane.places_max is not None and self.at_work >= self.lane.places_max

    @property
    def is_empty(self) -> bool:
        """Whether nobody waits."""
        return not self._queues

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return sum(map(len, self._queues.values()))

    def waits(self, caller: str) -> bool:
        """Whether a request of this caller waits."""
        return caller in self._queues

    def push(self, waiting: Waiting) -> None:
        """At the end of its caller's queue."""
        if self.busy_since is None:
            self.busy_since = waiting.since
        self._queues.setdefault(waiting.caller, deque()).append(waiting)

    def pop(self, has_room: Callable[[str], bool], is_late: Callable[[Waiting], bool]) -> Waiting | None:
        """The request whose turn it is: the first of the next caller that `has_room`. Those who are late are
        refused on the way. The caller's next request comes after those of all others.
        """
        found, empty = None, []
        for caller, queue in self._queues.items():
            if not has_room(caller):
                continue
            while queue and found is None:
                waiting = queue.popleft()
                if waiting.admitted.done():
                    continue  # its caller has left
                if is_late(waiting):
                    waiting.admitted.set_result(False)
                else:
                    found = waiting
            if not queue:
                empty.append(caller)
            if found is not None:
                break
        for caller in empty:
            del self._queues[caller]
        if found is not None and found.caller in self._queues:
            self._queues.move_to_end(found.caller)
        self._forget_if_empty()
        return found

    def drop_ended(self, caller: str) -> None:
        """Remove this caller's requests from the front that wait no more."""
        queue = self._queues.get(caller)
        if queue is None:
            return
        while queue and queue[0].admitted.done():
            queue.popleft()
        if not queue:
            del self._queues[caller]
        self._forget_if_empty()

    def measure(self, now: float) -> None:
        """A waiting request has got its place."""
        if self._last_taken is not None:
            taken = now - self._last_taken
            known = self._seconds_each
            self._seconds_each = taken if known is None else known + (taken - known) * _NEWEST_SHARE
        self._last_taken = now

    def expected_seconds(self, caller: str) -> float | None:
        """How long a request of this caller that came now would wait, at the rate of late; None if none is
        known. Of each other caller at most as many requests come before it as of its own.
        """
        if self._seconds_each is None:
            return None
        own = len(self._queues.get(caller, ())) + 1
        others = sum(min(len(queue), own) for other, queue in self._queues.items() if other != caller)
        return (own + others) * self._seconds_each

    def _forget_if_empty(self) -> None:
        """When nobody waits, what was measured is forgotten: it says nothing about the next queue."""
        if not self._queues:
            self.busy_since = self._last_taken = self._seconds_each = None
