"""The queue in front of an application: a bounded number of requests is worked on, the others wait shortly.

If all requests were begun at once, each would get a piece of the processor in turn, all would be late, and
those given up by their callers would cost as much as the others. So few are begun, and the time in the queue
is controlled: a burst may wait for a moment; as soon as the queue stands, only for a much shorter one
(Maurer, "Fail at Scale", ACM Queue 13(8), 2015: controlled delay). A request that would wait longer, at the
rate of late, is refused at once.

Each kind of request has a lane of its own; the lanes take turns, and in a lane its callers do. So a flood
makes the requests of its kind and of its caller wait, and not those of others. A caller never has all places:
others would have to wait until one of its requests ends, and those may be slow.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from shared.ops.overload.lanes import Lane, LaneState, Waiting


class TurnedAway(Exception):
    """The request must be refused; no work was done for it. `reason` is for the metric."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


NOBODY = ""
"""A request whose caller does not count."""
_CALLER_SHARE = 0.75
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
        self._at_work_of: dict[str, int] = {}
        self.at_work = 0

    async def enter(self, lane_name: str, late_seconds: float = 0.0, caller: str = NOBODY) -> None:
        """Wait for a place. Raises `TurnedAway`. `late_seconds`: how long the request waited before.

        If the caller is cancelled while it waits, it has no place; one that it was given meanwhile goes on.
        """
        if self.enter_at_once(lane_name, caller):
            return
        lane = self._lanes[lane_name]
        now = self._clock()
        expected = lane.expected_seconds(caller)
        if expected is not None and expected + late_seconds > self._seconds_max(lane, now):
            raise TurnedAway(WOULD_WAIT_TOO_LONG)
        loop = asyncio.get_running_loop()
        waiting = Waiting(caller, now - late_seconds, loop.create_future())
        lane.push(waiting)
        left_seconds = max(0.0, self._seconds_max(lane, now) - late_seconds)
        waiting.timer = loop.call_later(left_seconds, self._give_up, lane, waiting)
        try:
            is_admitted = await waiting.admitted
        except asyncio.CancelledError:
            if waiting.admitted.done() and not waiting.admitted.cancelled() and waiting.admitted.result():
                self.leave(lane_name, caller)
            raise
        finally:
            waiting.timer.cancel()
        if not is_admitted:
            raise TurnedAway(WAITED_TOO_LONG)

    def enter_at_once(self, lane_name: str, caller: str = NOBODY) -> bool:
        """A place if one is free that nobody waits for; False: the caller has none.

        Who waits while a place is free has all the places that one caller may have.
        """
        lane = self._lanes[lane_name]
        has_place = self.at_work < self._limits.places_max and not lane.is_full
        is_free = has_place and not lane.waits(caller) and self._has_room(lane, caller)
        if is_free:
            self.take(lane_name, caller)
        return is_free

    def rests(self, lane_name: str) -> bool:
        """Whether a request of this lane that only waits gives its place to others."""
        return self._lanes[lane_name].lane.rests

    def take(self, lane_name: str, caller: str = NOBODY) -> None:
        """A place without waiting, even beyond the limits: for a request that had one and only rested."""
        lane = self._lanes[lane_name]
        lane.at_work += 1
        for counts in (lane.at_work_of, self._at_work_of):
            counts[caller] = counts.get(caller, 0) + 1
        self.at_work += 1

    def leave(self, lane_name: str, caller: str = NOBODY) -> None:
        """Give a place back; the next one gets it."""
        lane = self._lanes[lane_name]
        lane.at_work -= 1
        self.at_work -= 1
        for counts in (lane.at_work_of, self._at_work_of):
            left = counts[caller] - 1
            if left:
                counts[caller] = left
            else:
                del counts[caller]
        while self.at_work < self._limits.places_max and self._admit_next():
            pass

    def waiting(self) -> int:
        """How many requests wait."""
        return sum(lane.waiting for lane in self._turns)

    def _admit_next(self) -> bool:
        """Give a place to the first request of the lane whose turn it is; False if nobody can get one."""
        if all(lane.is_empty for lane in self._turns):
            return False
        now = self._clock()
        for place, lane in enumerate(self._turns):
            if lane.is_empty or lane.is_full:
                continue
            seconds_max = self._seconds_max(lane, now)
            waiting = lane.pop(partial(self._has_room, lane), partial(_is_late, now, seconds_max))
            if waiting is None:
                continue
            self._turns.append(self._turns.pop(place))
            if lane.busy_since is not None:
                lane.measure(now)
            self.take(lane.lane.name, waiting.caller)
            waiting.admitted.set_result(True)
            return True
        return False

    def _has_room(self, lane: LaneState, caller: str) -> bool:
        """Whether this caller may have one more place."""
        if caller == NOBODY:
            return True
        places_max = self._limits.places_max
        return self._at_work_of.get(caller, 0) < _share(places_max) and (
            lane.at_work_of.get(caller, 0) < _share(lane.lane.places_max or places_max)
        )

    def _seconds_max(self, lane: LaneState, now: float) -> float:
        is_standing = lane.busy_since is not None and now - lane.busy_since >= self._limits.seconds_max
        return self._limits.standing_seconds_max if is_standing else self._limits.seconds_max

    def _give_up(self, lane: LaneState, waiting: Waiting) -> None:
        if not waiting.admitted.done():
            waiting.admitted.set_result(False)
        lane.drop_ended(waiting.caller)


def _is_late(now: float, seconds_max: float, waiting: Waiting) -> bool:
    return now - waiting.since > seconds_max


def _share(places_max: int) -> int:
    """How many of so many places one caller may have."""
    return max(1, int(places_max * _CALLER_SHARE))
