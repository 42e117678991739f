"""The durations of hot reads, observed together: one `observe` takes a tenth of the time of such a read."""

import asyncio

from shared.ops.metrics.declare import observe_many
from shared.ops.metrics.requests import HTTP_REQUEST_DURATION_SECONDS


class HotDurations:
    """Of one route, in one process. What a tick of the loop has measured is observed at its end."""

    def __init__(self, route: str, methods: tuple[bytes, ...], statuses: tuple[int, ...]) -> None:
        # Bound once: to look up a child by its labels costs more than to count.
        self._measured: dict[tuple[bytes, int], list[float]] = {
            (method, status): [] for method in methods for status in statuses
        }
        self._children = {
            (method, status): HTTP_REQUEST_DURATION_SECONDS.labels(method.decode(), route, str(status))
            for method, status in self._measured
        }
        self._is_due = False

    def add(self, method: bytes, status: int, seconds: float, loop: asyncio.AbstractEventLoop) -> None:
        """One answer."""
        self._measured[method, status].append(seconds)
        if not self._is_due:
            self._is_due = True
            loop.call_soon(self._observe)

    def _observe(self) -> None:
        self._is_due = False
        for key, seconds in self._measured.items():
            if seconds:
                observe_many(self._children[key], seconds)
                seconds.clear()
