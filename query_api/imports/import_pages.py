"""Lists imports, and shows one with the products that it rejected.

Reports have names of files and reasons with names of products that nobody may buy yet: so a reader needs the
right to see drafts. Who ran an import is for callers with the right to audit, as in the past of a product.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from query_api.cursors import Cursors
from query_api.errors import ImportNotFound
from query_api.imports.ports import ImportPosition, ImportRow, Imports, RejectedProducts


class ImportQuery(Struct, frozen=True, tag="imports"):
    """The list has no filters; a cursor is bound to it all the same."""


class ImportPage(NamedTuple):
    """One page; `next_cursor` is None on the last one."""

    items: Sequence[ImportRow]
    next_cursor: str | None


class ReadImports:
    """The use case. Raises `Unavailable` if the log's database cannot answer."""

    def __init__(self, imports: Imports, cursors: Cursors[ImportPosition]) -> None:
        self._imports = imports
        self._cursors = cursors

    async def page(self, cursor: str | None, limit: int) -> ImportPage:
        """The newest first. Reads one more, to see whether there is a next page. Raises `BadParameter`."""
        query = ImportQuery()
        after = None if cursor is None else self._cursors.decode(cursor, query)
        found = await self._imports.page(after, limit + 1)
        items = found[:limit]
        is_last = len(items) == len(found)
        return ImportPage(items, None if is_last else self._cursors.encode(items[-1].position, query))

    async def one(self, import_id: str) -> tuple[ImportRow, RejectedProducts]:
        """Raises `ImportNotFound`."""
        # PostgreSQL text cannot hold NUL, so no import has one in its id.
        found = None if "\0" in import_id else await self._imports.one(import_id)
        if found is None:
            raise ImportNotFound
        return found
