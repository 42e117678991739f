"""Pages of rows with a unique key (categories, brands, stock items), from the table and never cached."""

from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from query_api.consistency.visibility import Consistency, Visibility
from query_api.cursors import Cursors
from query_api.reports.ports import KeyedRows, KeyPosition


class Keyed(Protocol):
    """A row that knows the position after it."""

    @property
    def position(self) -> KeyPosition: ...


Q = TypeVar("Q", bound=Struct)
R = TypeVar("R", bound=Keyed)


class Page(NamedTuple, Generic[R]):
    """One page; `next_cursor` is None on the last one."""

    rows: Sequence[R]
    next_cursor: str | None


class KeyPages(Generic[Q, R]):
    """The use case. Raises `BadParameter`, or `Unavailable` if the table cannot answer."""

    def __init__(self, rows: KeyedRows[Q, R], cursors: Cursors[KeyPosition], visibility: Visibility) -> None:
        self._rows = rows
        self._cursors = cursors
        self._visibility = visibility

    async def page(
        self, query: Q, cursor: str | None, limit: int, consistency: Consistency | None = None
    ) -> Page[R]:
        """Up to `limit` rows after `cursor`; reads one more, to see whether there is a next page."""
        after = None if cursor is None else self._cursors.decode(cursor, query)
        if consistency is None:
            found = await self._rows.page(query, after, limit + 1)
        else:
            found = await self._visibility.read(
                consistency, lambda applied: self._rows.page(query, after, limit + 1, applied)
            )
        rows = found[:limit]
        next_cursor = self._cursors.encode(rows[-1].position, query) if len(rows) < len(found) else None
        return Page(rows, next_cursor)
