"""Read your writes from the cache: most documents are there before the view's transaction commits, and a look
costs no SQL statement.

The cache does not replace the wait for the view, because its projection may be stopped, paused or in a
rebuild. So a reader looks in the cache for a short time before it waits for the view. After a look without
result, no reader looks for a while.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from query_api.errors import CacheUnavailable
from shared.ops.overload.place import resting

T = TypeVar("T")


class CacheWatch:
    """Each reader looks every `pause_seconds`, for at most `seconds_max`. At most `watchers_max` readers look
    at the same time; others do not look at all. After a look without result, no reader looks for
    `rest_seconds`.
    """

    def __init__(
        self, *, seconds_max: float, pause_seconds: float, rest_seconds: float, watchers_max: int
    ) -> None:
        self._seconds_max = seconds_max
        self._pause_seconds = pause_seconds
        self._rest_seconds = rest_seconds
        self._watchers_max = watchers_max
        self._watchers = 0
        self._not_before = 0.0

    async def until(self, look: Callable[[], Awaitable[T | None]], wait_seconds: float) -> T | None:
        """The result of `look`; None if it finds nothing in time, or the cache is unavailable."""
        now = asyncio.get_running_loop().time
        seconds = min(wait_seconds, self._seconds_max)
        if seconds <= 0 or now() < self._not_before or self._watchers >= self._watchers_max:
            return None
        ends = now() + seconds
        self._watchers += 1
        try:
            while now() < ends:
                # On a grid, so that all readers look in one tick of the loop, with one command.
                with resting():
                    await asyncio.sleep(self._pause_seconds - now() % self._pause_seconds)
                found = await look()
                if found is not None:
                    return found
        except CacheUnavailable:
            return None
        finally:
            self._watchers -= 1
        self._not_before = now() + self._rest_seconds
        return None
