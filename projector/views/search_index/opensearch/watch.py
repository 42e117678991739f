"""Looks after the live search index: one that is missing is made, and one that was lost or went back is
noticed.

A batch notices that by itself. While no event arrives, nobody else would.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from projector.control.ports import Control, PartitionLag
from projector.control.trouble import Trouble
from projector.errors import Unavailable
from projector.views.search_index.opensearch.indexes import SearchIndexes
from projector.views.search_index.opensearch.view import OpenSearchView
from shared.ops.logs import get_logger

_SECONDS = 1.0
_log = get_logger(__name__)


class SearchIndexWatch:
    """A `Background`. `build` makes an index from the log; `begin_anew` lets the consumers load their places
    again, and gets the reason.
    """

    topic = "index in OpenSearch"

    def __init__(
        self,
        name: str,
        indexes: SearchIndexes,
        view: OpenSearchView,
        *,
        newest_position: Callable[[], Awaitable[int]],
        build: Callable[[], Awaitable[None]],
        begin_anew: Callable[[str], Awaitable[None]],
    ) -> None:
        self.name = name
        self._indexes = indexes
        self._view = view
        self._newest_position = newest_position
        self._build = build
        self._begin_anew = begin_anew
        self._trouble = Trouble(name, "a missing search index is not made")

    async def run(self) -> None:
        """Until cancelled. The batches and readiness tell of a server that is away."""
        while True:
            try:
                await self._look()
            except Unavailable:
                pass
            except Exception as error:
                self._trouble.tell(error)
            else:
                self._trouble.tell(None)
            await asyncio.sleep(_SECONDS)

    async def check(self) -> None:
        """Raises `Unavailable` or `OnlyAnOperatorHelps`."""
        self._trouble.check()

    def obey(self, control: Control) -> None:
        """A paused index can be lost, too."""

    def lags(self) -> Sequence[PartitionLag]:
        """None."""
        return ()

    async def _look(self) -> None:
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
