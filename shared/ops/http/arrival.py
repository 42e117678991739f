"""Limits the time of a head or body that a client has begun to send and not finished ("slow loris")."""

import asyncio
from collections.abc import Callable

from shared.ops.http.limits import CHUNK_LINE_BYTES_MAX, ConnectionLimits


class ArrivalClock:
    """Calls `on_late` when a head or body takes longer than `limits` allow.

    The clock stands still while `is_paused()`: we do not read then, so the client cannot be late. It is used
    only if a head or body takes more than one read.
    """

    __slots__ = (
        "_is_body",
        "_is_paused",
        "_limits",
        "_loop",
        "_on_late",
        "_since",
        "_timer",
        "arrived_bytes",
        "chunks",
        "content_bytes",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limits: ConnectionLimits,
        is_paused: Callable[[], bool],
        on_late: Callable[[], None],
    ) -> None:
        self._loop, self._limits, self._is_paused, self._on_late = loop, limits, is_paused, on_late
        self._timer: asyncio.TimerHandle | None = None
        self._is_body = False
        self._since = 0.0
        self.count_anew()

    def count_anew(self) -> None:
        """A body begins, or the rest of a body whose answer is already sent."""
        self.arrived_bytes = self.content_bytes = self.chunks = 0

    def framing_bytes(self) -> int:
        """Count bytes beside the content of a body: the end of its head, chunk extensions, trailers."""
        return self.arrived_bytes - self.content_bytes - self.chunks * CHUNK_LINE_BYTES_MAX

    def start(self, *, is_body: bool) -> None:
        """Start the clock if it does not run yet."""
        if self._timer is None:
            self._is_body = is_body
            self._since = self._loop.time()
            self._timer = self._loop.call_later(self._seconds_max(), self._look)

    def stop(self) -> None:
        """Stop the clock: the head or body is complete, or no longer needed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _seconds_max(self) -> float:
        limits = self._limits
        return limits.body_seconds(self.arrived_bytes) if self._is_body else limits.head_seconds_max

    def _look(self) -> None:
        """Check again, because more of a body may have arrived since the timer was set."""
        if self._is_paused():
            self._since = self._loop.time()
        left_seconds = self._since + self._seconds_max() - self._loop.time()
        if left_seconds > 0:
            self._timer = self._loop.call_later(left_seconds, self._look)
        else:
            self._timer = None
            self._on_late()
