"""Products that a reader has just written: from the event log, if the cache does not have the write yet.

What is made from the log is put into the cache, so that no later read shows an older document.
"""

from contextlib import suppress
from typing import Protocol
from uuid import UUID

from query_api.errors import CacheUnavailable
from query_api.products.cached_rows import unpacked_row
from query_api.products.made_rows import MadeRows
from query_api.products.ports import CacheResult, LatestProducts, ProductCache, ProductRow
from shared.contract.cached_document import pack
from shared.contract.consistency_token import ConsistencyToken

_FIRST_VERSION = 1


class Source(Protocol):
    """Where an answer comes from: `cache` is for Cache-Status."""

    cache: CacheResult


class WrittenProducts:
    """Answers at once or not at all: who gets nothing waits for the view."""

    def __init__(self, latest: LatestProducts, cache: ProductCache, made: MadeRows) -> None:
        self._latest = latest
        self._cache = cache
        self._made = made

    async def row(self, product_id: UUID, stream_version: int, held: ProductRow | None) -> ProductRow | None:
        """At least this version; `held` is what the cache has."""
        row = await self._latest.at_least(product_id, stream_version, held)
        if row is not None:
            row = await self._filled(row)
            self._made.keep(row)
        return row

    async def _filled(self, row: ProductRow) -> ProductRow:
        """This one, which the cache has now; or a newer one that it has, which somebody may have seen."""
        with suppress(CacheUnavailable):
            if not await self._cache.fill(row):
                value = await self._cache.glance(str(row.product_id))
                held = None if value is None else unpacked_row(row.product_id, value)
                if held is not None and held.stream_version > row.stream_version:
                    return held
        return row

    async def packed(self, product_id: UUID, token: ConsistencyToken, source: Source) -> bytes | None:
        """The packed document, as new as a token of this product says; None: the cache has failed, too."""
        wanted = token.stream_version
        if wanted is None:
            return None
        made = self._made.of(product_id)
        # The base is at hand, or none is needed, because nothing is older than a first version.
        skips_cache = wanted == _FIRST_VERSION if made is None else made.stream_version < wanted
        if skips_cache:
            row = await self.row(product_id, wanted, made)
            if row is not None:
                source.cache = "miss"
                return pack(row.stream_version, row.body)
            self._made.forget(product_id)
        try:
            value = await self._cache.read(str(product_id))
        except CacheUnavailable:
            return None
        held = None if value is None else unpacked_row(product_id, value)
        if held is not None and held.stream_version >= wanted:
            return value
        source.cache = "miss"
        row = await self.row(product_id, wanted, held)
        return None if row is None else pack(row.stream_version, row.body)
