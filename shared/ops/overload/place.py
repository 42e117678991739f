"""The place of one request in the work queue; it is free for others while the request only waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from shared.ops.overload.loop_delay import LoopDelay
from shared.ops.overload.work_queue import NOBODY, TurnedAway, WorkQueue

LOOP_IS_LATE = "loop-delay"
PLACE = "catalogue.place"
"""The key in a request's scope for a place that it got, or was refused, before the application got it."""


class Place:
    """Held from `enter` to `leave`. `leave` may be called at any time, and more than once.

    `caller` is named before `enter`: it has a part of the places, whatever it asks for.
    """

    __slots__ = ("_is_held", "_lane", "_loop_delay", "_queue", "_turned_away", "caller")

    def __init__(self, queue: WorkQueue, lane: str, loop_delay: LoopDelay | None = None) -> None:
        self._queue = queue
        self._lane = lane
        self._loop_delay = loop_delay
        self._is_held = False
        self._turned_away: TurnedAway | None = None
        self.caller = NOBODY

    async def enter(self) -> None:
        """Wait for the place. Raises `TurnedAway`. What the loop is late counts as waiting, too.

        Asking again gives the same answer at once, to whoever has the request now.
        """
        if self._is_held or self.enter_at_once():
            return
        if self._turned_away is not None:
            raise self._turned_away
        late_seconds = 0.0 if self._loop_delay is None else self._loop_delay.newest_seconds
        try:
            await self._queue.enter(self._lane, late_seconds, self.caller)
        except TurnedAway as turned_away:
            self._turned_away = turned_away
            raise
        self._is_held = True

    def enter_at_once(self) -> bool:
        """Take the place if it is free and nobody waits for it; False: `enter` waits, or refuses."""
        if self._turned_away is not None:
            return False
        if self._loop_delay is not None and self._loop_delay.refuses():
            self._turned_away = TurnedAway(LOOP_IS_LATE)
            return False
        self._is_held = self._queue.enter_at_once(self._lane, self.caller)
        return self._is_held

    def leave(self) -> None:
        """Give the place back, if it is held."""
        if self._is_held:
            self._is_held = False
            self._queue.leave(self._lane, self.caller)

    @contextmanager
    def rested(self) -> Iterator[None]:
        """The place is free during the block. Afterwards the request has one again, without waiting: it was
        admitted before, and its caller has waited for long.
        """
        was_held = self._is_held and self._queue.rests(self._lane)
        if was_held:
            self.leave()
        try:
            yield
        finally:
            if was_held:
                self._queue.take(self._lane, self.caller)
                self._is_held = True


_of_request: ContextVar[Place | None] = ContextVar("place", default=None)


def keep_place(place: Place) -> None:
    """For `place_of_request` and `resting`, in the task of the request."""
    _of_request.set(place)


def place_of_request() -> Place | None:
    """The place of the present request; None: its port has no queue."""
    return _of_request.get()


@contextmanager
def resting() -> Iterator[None]:
    """For a wait without work, such as for a consistency token: others may work in this request's place."""
    place = _of_request.get()
    if place is None:
        yield
        return
    with place.rested():
        yield
