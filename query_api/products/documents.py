"""The documents of search hits: from the cache in one read, the others from the table in one statement.

A hit says which version matched. An older document of the cache is not used, as the table may have a newer
one; what neither has yet is served as it is: the next reader gets the newer one. A reader with a token waits
for the table, and gets at least what the token stands for.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from query_api.applied import Applied
from query_api.consistency.visibility import Consistency, Visibility
from query_api.errors import CacheUnavailable
from query_api.products.cached_rows import unpacked_row
from query_api.products.ports import CacheResult, ProductCache, ProductRow, ProductTable
from query_api.search.query import Hit


class Documents(NamedTuple):
    """The newest rows by product. `cache`: all were there, some were not, or it did not answer.
    `are_current`: none is older than its hit.
    """

    rows: Mapping[UUID, ProductRow]
    cache: CacheResult
    are_current: bool


class HitDocuments:
    """Raises `Unavailable` if the table cannot answer."""

    def __init__(self, table: ProductTable, cache: ProductCache, visibility: Visibility) -> None:
        self._table = table
        self._cache = cache
        self._visibility = visibility

    async def of(self, hits: Sequence[Hit], consistency: Consistency | None) -> Documents:
        """Rows of hits; a product that neither cache nor table has is left out."""
        rows, has_failed = await self._cached([hit.product_id for hit in hits])
        wanted = [hit for hit in hits if not _is_new_enough(rows.get(hit.product_id), hit)]
        if wanted:
            for row in await self._of_table([hit.product_id for hit in wanted], consistency):
                held = rows.get(row.product_id)
                if held is None or held.stream_version < row.stream_version:
                    rows[row.product_id] = row
        are_current = all(_is_new_enough(rows.get(hit.product_id), hit) for hit in wanted)
        if has_failed:
            return Documents(rows, "bypass", are_current)
        return Documents(rows, "miss" if wanted else "hit", are_current)

    async def _cached(self, product_ids: Sequence[UUID]) -> tuple[dict[UUID, ProductRow], bool]:
        """And whether the cache has failed. All reads of one tick of the event loop are one MGET."""
        reads = (self._cache.read(str(product_id)) for product_id in product_ids)
        values = await asyncio.gather(*reads, return_exceptions=True)
        rows, has_failed = {}, False
        for product_id, value in zip(product_ids, values, strict=True):
            if value is None:
                continue
            if isinstance(value, CacheUnavailable):
                has_failed = True
                continue
            if isinstance(value, BaseException):
                raise value
            row = unpacked_row(product_id, value)
            if row is not None:
                rows[product_id] = row
        return rows, has_failed

    async def _of_table(
        self, product_ids: Sequence[UUID], consistency: Consistency | None
    ) -> Sequence[ProductRow]:
        if consistency is None:
            return await self._table.by_ids(product_ids)

        async def load(applied: Applied) -> Sequence[ProductRow]:
            return await self._table.by_ids(product_ids, applied)

        return await self._visibility.read(consistency, load)


def _is_new_enough(row: ProductRow | None, hit: Hit) -> bool:
    return row is not None and row.stream_version >= hit.stream_version
