"""Lists products: takes a page from the cache, or makes it from the stored bytes of the documents in the
table.

A cached page is at most `ttl_seconds` old, or less if the projector increases the generation. A read with a
Consistency-Token never uses one.
"""

import hashlib
import time
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from query_api.applied import Applied
from query_api.consistency.visibility import Consistency, Visibility
from query_api.cursors import Cursors, fingerprint
from query_api.errors import BadParameter, CacheUnavailable
from query_api.products.page_answer import PageAnswer
from query_api.products.ports import (
    CacheResult,
    ListCache,
    ListFilters,
    ListGeneration,
    ListRow,
    PagePosition,
    ProductLists,
)
from query_api.search.query import SearchFilters
from shared.ops.concurrency.single_flight import SingleFlight

_clock = time.time


class Page(Struct, frozen=True, array_like=True):
    """One answer: its whole JSON body, the cursor of the next page, and the time it was made (Unix
    seconds).
    """

    body: bytes
    next_cursor: str | None
    made_at: float


_encode_page = msgspec.msgpack.Encoder().encode
_pages = msgspec.msgpack.Decoder(Page)
_encode_json = msgspec.json.Encoder().encode


class ListProducts:
    """The use case. Raises `BadParameter`, or `Unavailable` if the table cannot answer."""

    def __init__(
        self,
        lists: ProductLists,
        cache: ListCache,
        cursors: Cursors[PagePosition],
        visibility: Visibility,
    ) -> None:
        self._lists = lists
        self._cache = cache
        self._cursors = cursors
        self._visibility = visibility
        self._loads: SingleFlight[str, Page] = SingleFlight()

    async def page(
        self,
        filters: ListFilters,
        cursor: str | None,
        limit: int,
        consistency: Consistency | None = None,
        *,
        asks_cache: bool = True,
    ) -> PageAnswer:
        """Up to `limit` products after `cursor`. `asks_cache` False: it has just failed to answer."""
        refuse_price_without_currency(filters)
        if cursor is not None:
            self._cursors.decode(cursor, filters)
        if consistency is not None:
            page = await self._visibility.read(
                consistency, lambda applied: self._load(filters, cursor, limit, applied)
            )
            return _answer(page, "bypass")
        digest = _digest(filters, cursor, limit)
        try:
            if not asks_cache:
                raise CacheUnavailable
            # Read before the query: rows older than a generation must not be stored under it.
            generation = await self._cache.generation(filters.category)
            cached = _page(await self._cache.read(generation, digest))
        except CacheUnavailable:
            page = await self._loads.run(digest, lambda: self._load(filters, cursor, limit))
            return _answer(page, "bypass")
        if cached is not None:
            return _answer(cached, "hit", generation)
        page = await self._loads.run(
            f"{generation}:{digest}", lambda: self._fill(generation, digest, filters, cursor, limit)
        )
        return _answer(page, "miss", generation)

    async def _fill(
        self, generation: ListGeneration, digest: str, filters: ListFilters, cursor: str | None, limit: int
    ) -> Page:
        page = await self._load(filters, cursor, limit)
        try:
            await self._cache.write(generation, digest, _encode_page(page))
        except CacheUnavailable:
            return page
        return page

    async def _load(
        self, filters: ListFilters, cursor: str | None, limit: int, applied: Applied | None = None
    ) -> Page:
        """Reads one row more than asked for, to see whether there is a next page."""
        after = None if cursor is None else self._cursors.decode(cursor, filters)
        made_at = _clock()
        rows = await self._lists.page(filters, after, limit + 1, applied)
        items = _fitting(rows[:limit])
        next_cursor = self._cursors.encode(items[-1].position, filters) if len(items) < len(rows) else None
        documents = b",".join(row.body for row in items if row.body is not None)
        body = b'{"items":[%b],"next_cursor":%b}' % (documents, _encode_json(next_cursor))
        return Page(body, next_cursor, made_at)


def _answer(page: Page, cache: CacheResult, generation: ListGeneration | None = None) -> PageAnswer:
    return PageAnswer(page.body, page.next_cursor, cache, page.made_at, generation)


def _page(packed: bytes | None) -> Page | None:
    """A stored page; None if it cannot be read (from another release, for example)."""
    if packed is None:
        return None
    try:
        return _pages.decode(packed)
    except msgspec.MsgspecError:
        return None


def _fitting(rows: Sequence[ListRow]) -> Sequence[ListRow]:
    """The rows before the first one whose document does not fit into the page's byte limit."""
    for index, row in enumerate(rows):
        if row.body is None:
            return rows[:index]
    return rows


def _digest(filters: ListFilters, cursor: str | None, limit: int) -> str:
    return hashlib.sha256(fingerprint(filters) + f"{limit}:{cursor or ''}".encode()).hexdigest()


def refuse_price_without_currency(filters: ListFilters | SearchFilters) -> None:
    """Amounts of different currencies have no order."""
    if filters.currency is not None:
        return
    for parameter, is_used in (
        ("price_min", filters.price_min is not None),
        ("price_max", filters.price_max is not None),
        ("sort", filters.sort in ("price", "-price")),
    ):
        if is_used:
            raise BadParameter("currency", f"is needed by {parameter}", "required")
