"""Looks after the live search index: one that is missing is made, and one that was lost or went back is
noticed.
"""

from collections.abc import Awaitable, Callable

from projector.views.search_index.opensearch.indexes import SearchIndexes
from projector.views.search_index.opensearch.view import OpenSearchView
from shared.ops.logs import get_logger

_log = get_logger(__name__)


class IndexKeeper:
    """`build` makes an index from the log; `begin_anew` lets the consumers load their places again, and gets
    the reason.
    """

    def __init__(
        self,
        indexes: SearchIndexes,
        view: OpenSearchView,
        *,
        newest_position: Callable[[], Awaitable[int]],
        build: Callable[[], Awaitable[None]],
        begin_anew: Callable[[str], Awaitable[None]],
    ) -> None:
        self._indexes = indexes
        self._view = view
        self._newest_position = newest_position
        self._build = build
        self._begin_anew = begin_anew

    async def look(self) -> None:
        """For a `Watch`. Raises `Unavailable`."""
        numbers, live = await self._indexes.numbers()
        if live is not None:
            await self._compare()
        elif await self._newest_position() == 0:
            # Nothing happened yet, so an empty index lacks nothing.
            await self._indexes.make(max(numbers, default=0) + 1, is_live=True)
        else:
            await self._build()

    async def _compare(self) -> None:
        reason = await self._view.lost()
        if reason is None:
            return
        _log.warning("another search index is live", reason=reason)
        await self._begin_anew(reason)
        self._view.forget()
