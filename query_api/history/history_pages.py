"""The use case of a product's history: its events, newest first, and what each changed.

A page is of a number of versions, and not of items: so its work is bounded also for readers who see few of
many versions. It may have fewer items than `limit`, even none, and another page after it.
"""

from collections import deque
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from msgspec import Struct

from query_api.consistency.visibility import Consistency
from query_api.cursors import Cursors
from query_api.history.changes import Change, changes
from query_api.history.reader import Reader
from query_api.history.streams import Step, Streams

_encode = msgspec.json.Encoder().encode


class HistoryQuery(Struct, frozen=True, kw_only=True, tag=True):
    """The history of one product."""

    product_id: UUID


class VersionPosition(NamedTuple):
    """The end of a page: its oldest version."""

    stream_version: int


class HistoryItem(Struct, frozen=True):
    """An event. `actor` None: nobody was named, or the reader may not see who it was."""

    version: int
    type: str
    time: datetime
    actor: str | None
    changes: list[Change]


class HistoryPage(NamedTuple):
    """Encoded items, newest first."""

    items: list[bytes]
    next_cursor: str | None


class HistoryPages:
    """Raises `ProductNotFound`, `BadParameter`, or `Unavailable` if the log cannot answer."""

    def __init__(self, streams: Streams, cursors: Cursors[VersionPosition], *, page_bytes_max: int) -> None:
        self._streams = streams
        self._cursors = cursors
        self._page_bytes_max = page_bytes_max

    async def page(
        self,
        product_id: UUID,
        cursor: str | None,
        limit: int,
        reader: Reader,
        consistency: Consistency | None,
    ) -> HistoryPage:
        """The next `limit` versions, as far as they fit into a page's bytes and the reader may see them."""
        query = HistoryQuery(product_id=product_id)
        after = None if cursor is None else self._cursors.decode(cursor, query)
        stream = await self._streams.find(product_id, reader, consistency)
        highest = stream.newest_version
        if after is not None:
            highest = min(after.stream_version - 1, highest)
        lowest = max(1, highest - limit + 1)
        items: deque[tuple[int, bytes]] = deque()
        size = 0
        if highest:
            async for step in self._streams.steps(stream, lowest, highest):
                item = _item(step, reader)
                if item is not None:
                    items.append((item.version, _encode(item)))
                    size += len(items[-1][1])
                while size > self._page_bytes_max and len(items) > 1:
                    size -= len(items.popleft()[1])
                    lowest = items[0][0]
        next_cursor = self._cursors.encode(VersionPosition(lowest), query) if lowest > 1 else None
        return HistoryPage([item for _, item in reversed(items)], next_cursor)


def _item(step: Step, reader: Reader) -> HistoryItem | None:
    """None: the reader may not see the version. What it may not see before it was not there for it."""
    event = step.event
    before, after = reader.seen(step.before), reader.seen(step.after)
    if after is None and step.after is not None:
        return None
    actor = event.metadata.actor if reader.sees_actors else None
    return HistoryItem(
        event.stream_version, event.event_type, event.recorded_at, actor, changes(before, after)
    )
