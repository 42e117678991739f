"""Everything that one port knows about its overload: the queue for work, and the delay of the event loop."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.ops.http.asgi import Scope
from shared.ops.overload.lanes import Lane
from shared.ops.overload.loop_delay import LoopDelay
from shared.ops.overload.place import PLACE, Place, keep_place
from shared.ops.overload.work_queue import QueueLimits, WorkQueue


@dataclass(frozen=True, slots=True)
class OverloadLimits:
    """From the settings; see `QueueLimits` and `LoopDelay`."""

    requests_in_work_max: int
    queue_seconds_max: float
    queue_standing_seconds_max: float
    loop_delay_seconds_max: float


class Overload:
    """Of one server. `lane_of` gives the name of a request's lane, which must be one of `lanes`."""

    def __init__(
        self, limits: OverloadLimits, lanes: Sequence[Lane], lane_of: Callable[[Scope], str]
    ) -> None:
        self.loop_delay = LoopDelay(
            target_seconds=limits.loop_delay_seconds_max, interval_seconds=limits.queue_seconds_max
        )
        places = QueueLimits(
            limits.requests_in_work_max, limits.queue_seconds_max, limits.queue_standing_seconds_max
        )
        self.queue = WorkQueue(places, lanes, clock=time.monotonic)
        self._lane_of = lane_of

    def place_for(self, scope: Scope) -> Place:
        """The request's place, not entered yet, unless the request was handed on with it."""
        place: Place = scope.pop(PLACE, None) or Place(self.queue, self._lane_of(scope), self.loop_delay)
        keep_place(place)
        return place
