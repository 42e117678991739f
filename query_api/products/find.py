"""Finds one product: in this process, in Redis, then in the table. A failure of the cache makes an answer
slower, never an error.

A miss is loaded once for all its readers. It fills the cache with the row's version, so a late fill never
replaces a newer document of the projector. A SKU or slug is first looked up as a pointer to an id. The
pointer counts only if that product's document still has the SKU or slug; otherwise the table decides.

A reader with a token looks in Redis or the table: in this process a document may be a moment old. What Redis
does not have yet is made from the event log, and put into Redis, so that no later read shows an older one.

A reader who may not see drafts (`sees_all` False) gets the answer of a product that does not exist for one
that is not active, in the same way: a hidden row counts as no row, so its reader waits and looks no less.
"""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from query_api.applied import Applied
from query_api.consistency.visibility import Consistency, Visibility
from query_api.errors import CacheUnavailable, ProductNotFound, ReadModelBehind
from query_api.products.cache_watch import CacheWatch
from query_api.products.cached_rows import row_of, unpacked_row
from query_api.products.document_names import has_name
from query_api.products.local_cache import LocalCache
from query_api.products.ports import CacheResult, PointerKind, ProductCache, ProductRow, ProductTable
from query_api.products.visible_rows import seen
from query_api.products.written import WrittenProducts
from shared.ops.concurrency.single_flight import SingleFlight
from shared.telemetry import conventions as c
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import span

BYPASS: CacheResult = "bypass"
_CACHE = {c.DB_SYSTEM: c.REDIS}


class Found(NamedTuple):
    """A product that is not deleted: its version, its document's bytes, and whether the cache had it."""

    stream_version: int
    body: bytes
    cache: CacheResult


class FindProduct:
    """The use case. Every method raises `ProductNotFound`, or `Unavailable` if the table cannot answer."""

    def __init__(
        self,
        table: ProductTable,
        local: LocalCache,
        cache: ProductCache,
        visibility: Visibility,
        watch: CacheWatch,
        written: WrittenProducts,
    ) -> None:
        self._table = table
        self._local = local
        self._cache = cache
        self._visibility = visibility
        self._watch = watch
        self._written = written
        self._loads: SingleFlight[UUID, ProductRow | None] = SingleFlight()
        self._look_ups: SingleFlight[tuple[PointerKind, str, bool], ProductRow | None] = SingleFlight()

    async def by_id(
        self,
        product_id: UUID,
        consistency: Consistency | None = None,
        *,
        sees_all: bool = True,
        asks_cache: bool = True,
    ) -> Found:
        """The product of this id, in any status but deleted. `asks_cache` False: it has just failed."""
        if consistency is not None:
            return await self._by_id_after(product_id, consistency, sees_all)
        row, cache = await self._near(product_id) if asks_cache else (None, BYPASS)
        if cache == "miss":
            row = await self._loads.run(product_id, lambda: self._load(product_id))
        elif cache == "bypass":
            row = await self._loads.run(product_id, lambda: self._table.by_id(product_id))
        return _found(seen(row, sees_all), cache)

    async def by_name(
        self, kind: PointerKind, value: str, consistency: Consistency | None = None, *, sees_all: bool = True
    ) -> Found:
        """The product that has this SKU or slug."""
        if consistency is not None:
            return await self._by_name_after(kind, value, consistency, sees_all)
        look_up = (kind, value, sees_all)
        try:
            pointer = await self._cache.pointer(kind, value)
        except CacheUnavailable:
            row = await self._look_ups.run(look_up, lambda: self._look_up(*look_up))
            return _found(row, "bypass")
        if pointer is not None:
            row, cache = await self._near(pointer)
            row = seen(row, sees_all)
            if row is not None and row.body is not None and has_name(row.body, kind, value):
                return _found(row, cache)
        row = await self._look_ups.run(look_up, lambda: self._look_up_and_point(*look_up))
        return _found(row, "miss")

    async def _by_id_after(self, product_id: UUID, consistency: Consistency, sees_all: bool) -> Found:
        """Read the cache if it is new enough, or the log; otherwise wait for the cache a moment, then for the
        table. Its row does not fill the cache: the projector will write the same document soon.
        """
        held, cache = await self._read(product_id)
        cached = seen(held, sees_all)
        if cached is not None and consistency.is_met_by(product_id, cached.stream_version):
            return _found(cached, "hit")
        wanted = consistency.token.stream_version
        if wanted is not None and consistency.is_of(product_id):
            written = seen(await self._written.row(product_id, wanted, held), sees_all)
            if written is not None:
                return _found(written, "miss")
        if cache != "bypass" and consistency.is_of(product_id):
            started = time.monotonic()
            cached = await self._watch.until(
                lambda: self._new_enough(product_id, consistency, sees_all), consistency.wait_seconds
            )
            if cached is not None:
                return _found(cached, "hit")
            left = consistency.wait_seconds - (time.monotonic() - started)
            consistency = replace(consistency, wait_seconds=max(0.0, left))
        found = await self._after(
            consistency, lambda applied: self._load_visible(product_id, sees_all, applied)
        )
        if product_id == consistency.token.product_id:
            await self._insist(consistency, found, sees_all)
        return _found(found, "bypass")

    async def _new_enough(
        self, product_id: UUID, consistency: Consistency, sees_all: bool
    ) -> ProductRow | None:
        """The cached document, if it is new enough. Raises `CacheUnavailable`."""
        value = await self._cache.glance(str(product_id))
        row = None if value is None else seen(unpacked_row(product_id, value), sees_all)
        is_met = row is not None and consistency.is_met_by(product_id, row.stream_version)
        return row if is_met else None

    async def _by_name_after(
        self, kind: PointerKind, value: str, consistency: Consistency, sees_all: bool
    ) -> Found:
        """Always read the table: a pointer may be older than the token."""
        found = await self._after(consistency, lambda applied: self._look_up(kind, value, sees_all, applied))
        await self._insist(consistency, found, sees_all)
        return _found(found, "bypass")

    async def _after(
        self, consistency: Consistency, load: Callable[[Applied | None], Awaitable[ProductRow | None]]
    ) -> ProductRow | None:
        """Wait until the write is visible, and load. After the limit the row may still be new enough."""
        try:
            return await self._visibility.read(consistency, load)
        except ReadModelBehind:
            row = await load(None)
            if row is None or not consistency.is_met_by(row.product_id, row.stream_version):
                raise
            return row

    async def _insist(self, consistency: Consistency, found: ProductRow | None, sees_all: bool) -> None:
        """Check the row of the token's own product, too: a checkpoint moves past a parked product.

        A name may lead to another product or to none if the token's product does not have that name yet. A
        reader from whom it may be hidden gets no other answer than 404: a made-up token must not tell whether
        there is a draft, and who has written one must not get 503 for ever.
        """
        token = consistency.token
        if token.product_id is None or token.stream_version is None:
            return
        own = found
        if own is None or own.product_id != token.product_id:
            # It only decides whether to insist: what is answered is of a server that has passed the token.
            own = await self._load_visible(token.product_id, sees_all, None)
        if own is None and not sees_all:
            return
        if own is None or own.stream_version < token.stream_version:
            raise ReadModelBehind("the product has not reached the version that the token stands for")

    async def _near(self, product_id: UUID) -> tuple[ProductRow | None, CacheResult]:
        """The row in this process, else in Redis."""
        entry = self._local.get(str(product_id))
        return await self._read(product_id) if entry is None else (row_of(product_id, entry.document), "hit")

    async def _read(self, product_id: UUID) -> tuple[ProductRow | None, CacheResult]:
        """The cached row. A negative entry is a row with version 0 and without a body."""
        try:
            with span(c.READ_CACHE, SpanKind.CLIENT, _CACHE):
                value = await self._cache.read(str(product_id))
        except CacheUnavailable:
            return None, "bypass"
        row = None if value is None else unpacked_row(product_id, value)
        return row, "miss" if row is None else "hit"

    async def _load(self, product_id: UUID) -> ProductRow | None:
        row = await self._table.by_id(product_id)
        if row is not None:
            return await self._filled(row)
        with suppress(CacheUnavailable):
            await self._cache.fill_absent(product_id)
        return None

    async def _filled(self, row: ProductRow) -> ProductRow:
        """The row, in the cache if that answers; otherwise the next reader tries again."""
        with suppress(CacheUnavailable):
            await self._cache.fill(row)
        return row

    async def _load_visible(
        self, product_id: UUID, sees_all: bool, applied: Applied | None
    ) -> ProductRow | None:
        return seen(await self._table.by_id(product_id, applied), sees_all)

    async def _look_up(
        self, kind: PointerKind, value: str, sees_all: bool, applied: Applied | None = None
    ) -> ProductRow | None:
        by_name = self._table.by_sku if kind == "sku" else self._table.by_slug
        return seen(await by_name(value, applied), sees_all)

    async def _look_up_and_point(self, kind: PointerKind, value: str, sees_all: bool) -> ProductRow | None:
        row = await self._look_up(kind, value, sees_all)
        if row is not None:
            try:
                await self._cache.fill(row)
                await self._cache.point(kind, value, row.product_id)
            except CacheUnavailable:
                return row
        return row


def _found(row: ProductRow | None, cache: CacheResult) -> Found:
    """The one place that decides that a product does not exist: no row, or the row of a deleted product."""
    if row is None or row.body is None:
        raise ProductNotFound
    return Found(row.stream_version, row.body, cache)
