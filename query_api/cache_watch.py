"""Read your writes, the quick way: most documents are in the cache before the view's transaction is done, and
a look there costs no statement.

It is a head start, no more: the projection of the cache may stand still, be paused or be rebuilt. So a reader
looks for a moment before it waits for the view, and after one who looked in vain nobody looks for a while.
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from query_api.errors import CacheUnavailable

_LOOK_SECONDS = 0.005
_IN_VAIN_SECONDS = 1.0
Read = Callable[[str], Awaitable[bytes | None]]


class CacheWatch:
    """Each reader looks for `seconds_max` at most, and `watchers_max` readers at most do so at the same time;
    whoever else comes goes on at once.
    """

    def __init__(
        self, read: Read, *, seconds_max: float, watchers_max: int, in_vain_seconds: float = _IN_VAIN_SECONDS
    ) -> None:
        self._read = read
        self._seconds_max = seconds_max
        self._watchers_max = watchers_max
        self._in_vain_seconds = in_vain_seconds
        self._watchers = 0
        self._not_before = 0.0

    async def until(
        self, is_new_enough: Callable[[bytes], bool], product_id: UUID, wait_seconds: float
    ) -> bytes | None:
        """The packed document as soon as it is new enough; None when it is not in time, or where looking is
        of no use. Raises nothing.
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
                await asyncio.sleep(_LOOK_SECONDS - now() % _LOOK_SECONDS)
                value = await self._read(str(product_id))
                if value is not None and is_new_enough(value):
                    return value
        except CacheUnavailable:
            return None
        finally:
            self._watchers -= 1
        self._not_before = now() + self._in_vain_seconds
        return None
