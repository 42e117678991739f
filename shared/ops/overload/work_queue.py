"""The queue in front of an application: a bounded number of requests is worked on, the others wait shortly.

If all requests were begun at once, each would get a piece of the processor in turn, all would be late, and
those given up by their callers would cost as much as the others. So few are begun, and the time in the queue
is controlled: a burst may wait for a moment; as soon as the queue stands, only for a much shorter one
(Maurer, "Fail at Scale", ACM Queue 13(8), 2015: controlled delay). A request that would wait longer, at the
rate of late, is refused at once.

Each kind of request has a lane of its own; the lanes take turns. So a flood of one kind makes the requests of
that kind wait, and not those of others.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.ops.overload.lanes import Lane, LaneState, Waiting


class TurnedAway(Exception):
    """The request must be refused; no work was done for it. `reason` is for the metric."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


WAITED_TOO_LONG, WOULD_WAIT_TOO_LONG = "waited", "expected-wait"


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """A request waits for `seconds_max` at most; while the queue has not been empty for that long, it waits
    for `standing_seconds_max` at most.
    """

    places_max: int
    seconds_max: float
    standing_seconds_max: float


class WorkQueue:
    """Places for work. `clock` gives seconds; tests have their own."""

    def __init__(self, limits: QueueLimits, lanes: Sequence[Lane], *, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._lanes = {lane.name: LaneState(lane) for lane in lanes}
        self._turns = [*self._lanes.values()]
        self.at_work = 0

    async def enter(self, lane_name: str, late_seconds: float = 0.0) -> None:
        """Wait for a place. Raises `TurnedAway`. `late_seconds`: how long the request waited before.

        If the caller is cancelled while it waits, it has no place; one that it was given meanwhile goes on.
        """
        if self.enter_at_once(lane_name):
            return
        lane = self._lanes[lane_name]
        now = self._clock()
        expected = lane.expected_seconds()
        if expected is not None and expected + late_seconds > self._seconds_max(lane, now):
            raise TurnedAway(WOULD_WAIT_TOO_LONG)
        loop = asyncio.get_running_loop()
        waiting = Waiting(now - late_seconds, loop.create_future())
        lane.push(waiting)
        waiting.timer = loop.call_later(self._seconds_max(lane, now), self._give_up, lane, waiting)
        try:
            is_admitted = await waiting.admitted
        except asyncio.CancelledError:
            if waiting.admitted.done() and not waiting.admitted.cancelled() and waiting.admitted.result():
                self.leave(lane_name)
            raise
        finally:
            waiting.timer.cancel()
        if not is_admitted:
            raise TurnedAway(WAITED_TOO_LONG)

    def enter_at_once(self, lane_name: str) -> bool:
        """A place if one is free and nobody waits for it; False: the caller has none."""
        lane = self._lanes[lane_name]
        is_free = self.at_work < self._limits.places_max and not lane.is_full and not lane.waiting
        if is_free:
            self.take(lane_name)
        return is_free

    def take(self, lane_name: str) -> None:
        """A place without waiting, even beyond the limits: for a request that had one and only rested."""
        self._lanes[lane_name].at_work += 1
        self.at_work += 1

    def leave(self, lane_name: str) -> None:
        """Give a place back; the next one gets it."""
        self._lanes[lane_name].at_work -= 1
        self.at_work -= 1
        while self.at_work < self._limits.places_max and self._admit_next():
            pass

    def waiting(self) -> int:
        """How many requests wait."""
        return sum(len(lane.waiting) for lane in self._turns)

    def _admit_next(self) -> bool:
        """Give a place to the first request of the lane whose turn it is; False if nobody can get one."""
        now = self._clock()
        for place, lane in enumerate(self._turns):
            if lane.is_full:
                continue
            waiting = self._first(lane, now)
            if waiting is None:
                continue
            self._turns.append(self._turns.pop(place))
            if lane.waiting:
                lane.measure(now)
            self.take(lane.lane.name)
            waiting.admitted.set_result(True)
            return True
        return False

    def _first(self, lane: LaneState, now: float) -> Waiting | None:
        """The first one that has not waited too long; those who have are refused on the way."""
        found = None
        while lane.waiting and found is None:
            waiting = lane.waiting.popleft()
            if waiting.admitted.done():
                continue  # its caller has left
            if now - waiting.since > self._seconds_max(lane, now):
                waiting.admitted.set_result(False)
            else:
                found = waiting
        lane.drop_ended()
        return found

    def _seconds_max(self, lane: LaneState, now: float) -> float:
        is_standing = lane.busy_since is not None and now - lane.busy_since >= self._limits.seconds_max
        return self._limits.standing_seconds_max if is_standing else self._limits.seconds_max

    def _give_up(self, lane: LaneState, waiting: Waiting) -> None:
        if not waiting.admitted.done():
            waiting.admitted.set_result(False)
        lane.drop_ended()
