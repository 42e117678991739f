"""Answers searches from the index of this process, in threads: a search takes milliseconds, and the event
loop answers other reads in that time.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar
from uuid import UUID

import tantivy

from query_api.errors import Overloaded
from query_api.search.query import (
    TIERS,
    Found,
    Hit,
    HitPosition,
    SearchFilters,
    SearchQuery,
    Suggestions,
    TextQuery,
)
from query_api.search.tantivy import schema as s
from query_api.search.tantivy.corrections import LEXICON_SHARE, Corrector
from query_api.search.tantivy.facets import facets_of
from query_api.search.tantivy.failures import translated
from query_api.search.tantivy.filters import all_of, filters_of
from query_api.search.tantivy.index import Snapshot, TantivyIndex
from query_api.search.tantivy.results import Results
from query_api.search.tantivy.suggesting import values_like
from query_api.search.tantivy.texts import TextTiers
from shared.ops.concurrency.single_flight import SingleFlight
from shared.ops.metrics.requests import SEARCH_QUEUE
from shared.search.entry import id_of_key

T = TypeVar("T")
_NO_TIER = 0


class _Order(NamedTuple):
    field: str
    is_descending: bool

    def after(self, key: str, snapshot: Snapshot) -> tantivy.Query:
        """The products behind this key."""
        return snapshot.parsed(f"{self.field}:{'<' if self.is_descending else '>'}{key}", self.field)


class TantivyEngine:
    """Implements `SearchEngine`. `live` gives the present index, or raises `SearchUnavailable`.

    At most `searches_max` run at the same time, each in a thread, and `waiting_max` wait.
    """

    def __init__(
        self,
        live: Callable[[], TantivyIndex],
        *,
        searches_max: int = 2,
        waiting_max: int = 128,
        lexicon_share: float = LEXICON_SHARE,
    ) -> None:
        self._live = live
        self._threads = ThreadPoolExecutor(searches_max, thread_name_prefix="search")
        self._unfinished = 0
        self._unfinished_max = searches_max + waiting_max
        self._corrector = Corrector(lexicon_share)
        self._results = Results()
        self._loads: SingleFlight[tuple[SearchQuery, int], Found] = SingleFlight()

    async def search(self, query: SearchQuery) -> Found:
        snapshot = self._live().snapshot
        found = self._results.get(query, snapshot)
        if found is None:
            found = await self._loads.run(
                (query, id(snapshot)), lambda: self._in_thread(lambda: self._search(query, snapshot))
            )
            self._results.put(query, found, snapshot, self._live().snapshot)
        return found

    async def suggest(self, text: TextQuery, *, statuses: Sequence[str], items_max: int) -> Suggestions:
        snapshot = self._live().snapshot
        return await self._in_thread(lambda: self._suggest(text, statuses, items_max, snapshot))

    def close(self) -> None:
        """Without waiting for searches whose readers are gone."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._unfinished >= self._unfinished_max:
            raise Overloaded(SEARCH_QUEUE, "too many searches are waiting")
        self._unfinished += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, _run, work)
        # Also if the reader has gone: a search that runs cannot be stopped.
        future.add_done_callback(lambda _: self._finished())
        return await future

    def _finished(self) -> None:
        self._unfinished -= 1

    def _search(self, query: SearchQuery, snapshot: Snapshot) -> Found:
        filters = filters_of(query.filters, snapshot)
        text = query.filters.text
        corrected = None
        if text is not None:
            corrected = self._corrector.corrected(text, query.filters.statuses, snapshot)
        tiers = None if corrected is None else TextTiers(corrected.query, snapshot)
        matching = [each for _, each in filters]
        found = None if tiers is None else tiers.matching()
        if tiers is not None and query.filters.sort == "relevance":
            hits = _by_relevance(query, matching, tiers, snapshot)
        else:
            hits = _ordered(query, all_of(matching if found is None else [*matching, found]), snapshot)
        facets, total = None, None
        if query.facets:
            facets, total = facets_of(query, filters, found, snapshot)
        elif query.with_total:
            total = _count(all_of(matching if found is None else [*matching, found]), snapshot)
        return Found(
            hits, total if query.with_total else None, facets, None if corrected is None else corrected.text
        )

    def _suggest(
        self, text: TextQuery, statuses: Sequence[str], items_max: int, snapshot: Snapshot
    ) -> Suggestions:
        corrected = self._corrector.corrected(text, tuple(statuses), snapshot)
        filters = SearchFilters(statuses=tuple(statuses), text=text, sort="relevance")
        status = tantivy.Query.term_set_query(snapshot.schema, s.STATUS, list(statuses))
        tiers = TextTiers(corrected.query, snapshot)
        query = SearchQuery(filters, None, items_max)
        return Suggestions(
            _by_relevance(query, [status], tiers, snapshot),
            values_like(corrected.query, "brand_words", s.BRAND, status, items_max, snapshot),
            values_like(corrected.query, s.CATEGORY_WORDS, s.CATEGORY, status, items_max, snapshot),
            corrected.text,
        )


def _run(work: Callable[[], T]) -> T:
    with translated():
        return work()


def _by_relevance(
    query: SearchQuery, matching: list[tantivy.Query], tiers: TextTiers, snapshot: Snapshot
) -> list[Hit]:
    """Tier by tier, until the page is full."""
    order = _Order(s.BY_RANK, is_descending=False)
    first = 0 if query.after is None else query.after.tier
    hits: list[Hit] = []
    for tier in range(first, len(TIERS)):
        wanted = query.hits_max - len(hits)
        if wanted <= 0:
            break
        parts = [*matching, tiers.tier(tier)]
        if query.after is not None and tier == first:
            parts.append(order.after(query.after.key, snapshot))
        hits += _page(all_of(parts), order, wanted, tier, snapshot)
    return [hit._replace(tier=TIERS[hit.position.tier]) for hit in hits]


def _ordered(query: SearchQuery, matching: tantivy.Query, snapshot: Snapshot) -> list[Hit]:
    order = _order(query.filters)
    if query.after is not None:
        matching = all_of([matching, order.after(query.after.key, snapshot)])
    return _page(matching, order, query.hits_max, _NO_TIER, snapshot)


def _order(filters: SearchFilters) -> _Order:
    is_descending = filters.sort.startswith("-")
    match filters.sort.removeprefix("-"):
        case "name":
            return _Order(s.BY_NAME, is_descending)
        case "price":
            assert filters.currency is not None, "an order by price needs a currency"
            return _Order(s.by_price(filters.currency), is_descending)
        case "id":
            return _Order(s.PRODUCT, is_descending)
        case "updated_at":
            return _Order(s.BY_TIME, is_descending)
        case _:
            return _Order(s.BY_RANK, is_descending)


def _page(matching: tantivy.Query, order: _Order, hits_max: int, tier: int, snapshot: Snapshot) -> list[Hit]:
    direction = tantivy.Order.Desc if order.is_descending else tantivy.Order.Asc
    found = snapshot.searcher.search(
        matching, hits_max, count=False, order_by_field=order.field, order=direction
    ).hits
    versions = snapshot.searcher.fast_field_values(s.VERSION, [address for _, address in found])
    return [
        Hit(_id(order, key), int(version or 0), HitPosition(tier, key))
        for (key, _), version in zip(found, versions, strict=True)
    ]


def _id(order: _Order, key: str) -> UUID:
    return id_of_key(key, is_inverted=order.field == s.BY_TIME)


def _count(matching: tantivy.Query, snapshot: Snapshot) -> int:
    found = snapshot.searcher.search(matching, 1, count=True)
    return int(found.count)  # type: ignore[attr-defined]  # not in its declarations
