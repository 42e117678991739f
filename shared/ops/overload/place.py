"""The place of one request in the work queue; it is free for others while the request only waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from shared.ops.overload.work_queue import WorkQueue


class Place:
    """Held from `enter` to `leave`. Both may be called at any time, and `leave` more than once."""

    __slots__ = ("_is_held", "_lane", "_queue")

    def __init__(self, queue: WorkQueue, lane: str) -> None:
        self._queue = queue
        self._lane = lane
        self._is_held = False

    async def enter(self, late_seconds: float) -> None:
        """Wait for the place. Raises `TurnedAway`."""
        await self._queue.enter(self._lane, late_seconds)
        self._is_held = True

    def leave(self) -> None:
        """Give the place back, if it is held."""
        if self._is_held:
            self._is_held = False
            self._queue.leave(self._lane)

    @contextmanager
    def rested(self) -> Iterator[None]:
        """The place is free during the block. Afterwards the request has one again, without waiting: it was
        admitted before, and its caller has waited for long.
        """
        was_held = self._is_held
        self.leave()
        try:
            yield
        finally:
            if was_held:
                self._queue.take(self._lane)
                self._is_held = True


_of_request: ContextVar[Place | None] = ContextVar("place", default=None)


def keep_place(place: Place) -> None:
    """For `resting`, in the task of the request."""
    _of_request.set(place)


@contextmanager
def resting() -> Iterator[None]:
    """For a wait without work, such as for a consistency token: others may work in this request's place."""
    place = _of_request.get()
    if place is None:
        yield
        return
    with place.rested():
        yield
