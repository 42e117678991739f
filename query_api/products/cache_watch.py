"""Read your writes, the quick way: most documents are in the cache before the view's transaction is done, and
a look there costs no statement.

It is a head start, no more: the projection of the cache may stand still, be paused or be rebuilt. So a reader
looks for a moment before it waits for the view, and after one who looked in vain nobody looks for a while.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from query_api.errors import CacheUnavailable

T = TypeVar("T")


class CacheWatch:
    """Each reader looks every `pause_seconds` for `seconds_max` at most, and so do `watchers_max` readers at
    most. Whoever else comes, or comes within `rest_seconds` after a look in vain, goes on at once.
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
        """What `look` finds; None when that is not in time, or where looking is of no use. `CacheUnavailable`
        ends it like that, too.
        """
        now = asyncio.get_running_loop().time
        seconds = min(wait_seconds, self._seconds_max)
        if seconds <= 0 or now() < self._not_before or self._watchers >= self._watchers_max:
            return None
        ends = now() + seconds
        self._watchers += 1
        try:
            while now() < ends:
                # On a grid, so that all who look do so in one tick of the loop: one command for all of them.
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
