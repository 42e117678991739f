"""Answers searches from the index of this process, in threads: a search takes milliseconds, and the event
loop answers other reads in that time.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import tantivy

from query_api.errors import Overloaded, SearchUnavailable
from query_api.search.corrected import Corrected
from query_api.search.query import Found, Hit, SearchFilters, SearchQuery, Suggestions, TextQuery
from query_api.search.tantivy import schema as s
from query_api.search.tantivy.corrections import LEXICON_SHARE, Corrector
from query_api.search.tantivy.counting import count_all
from query_api.search.tantivy.facets import facets_of
from query_api.search.tantivy.failures import translated
from query_api.search.tantivy.filters import OTHER, Filter, all_of, filters_of, for_page, one_of
from query_api.search.tantivy.index import Snapshot, TantivyIndex
from query_api.search.tantivy.pages import by_relevance, in_order
from query_api.search.tantivy.results import Results
from query_api.search.tantivy.suggesting import values_like
from query_api.search.tantivy.texts import TextTiers
from shared.ops.concurrency.single_flight import SingleFlight
from shared.ops.metrics.requests import SEARCH_QUEUE

T = TypeVar("T")


class _Page(NamedTuple):
    """`text`: what matches the text, `matching` the filters, too."""

    hits: list[Hit]
    text: tantivy.Query | None
    matching: tantivy.Query
    corrected: str | None


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

    @property
    def mark(self) -> object | None:
        try:
            return self._live().snapshot.mark
        except SearchUnavailable:
            return None

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
        page = self._page(query, for_page(query.filters, filters, snapshot), snapshot)
        facets, total = None, None
        if query.facets:
            facets, total = facets_of(query, filters, page.text, snapshot)
        elif query.with_total:
            total = count_all(page.matching, snapshot)
        return Found(page.hits, total if query.with_total else None, facets, page.corrected)

    def _suggest(
        self, text: TextQuery, statuses: Sequence[str], items_max: int, snapshot: Snapshot
    ) -> Suggestions:
        filters = SearchFilters(statuses=tuple(statuses), text=text, sort="relevance")
        status = one_of(snapshot, s.STATUS, statuses)
        hits, _, corrected = self._by_relevance(
            SearchQuery(filters, None, items_max), text, [status], snapshot
        )
        return Suggestions(
            hits,
            values_like(corrected.query, "brand_words", s.BRAND, status, items_max, snapshot),
            values_like(corrected.query, s.CATEGORY_WORDS, s.CATEGORY, status, items_max, snapshot),
            corrected.text,
        )

    def _page(self, query: SearchQuery, found: list[Filter], snapshot: Snapshot) -> _Page:
        text, filters = query.filters.text, [each for _, each in found]
        if text is None:
            return _Page(in_order(query, found, snapshot), None, all_of(filters), None)
        if query.filters.sort == "relevance":
            hits, tiers, corrected = self._by_relevance(query, text, filters, snapshot)
            matching = tiers.matching()
            return _Page(hits, matching, all_of([*filters, matching]), corrected.text)
        corrected = self._corrector.corrected(text, query.filters.statuses, snapshot)
        matching = TextTiers(corrected.query, snapshot).matching()
        hits = in_order(query, [*found, (OTHER, matching)], snapshot)
        return _Page(hits, matching, all_of([*filters, matching]), corrected.text)

    def _by_relevance(
        self, query: SearchQuery, text: TextQuery, filters: list[tantivy.Query], snapshot: Snapshot
    ) -> tuple[list[Hit], TextTiers, Corrected]:
        """Most texts need no correction, and what they find shows that."""
        tiers = TextTiers(text, snapshot)
        hits = by_relevance(query, filters, tiers, snapshot)
        # What the first tier finds may be a whole text that is a SKU.
        is_found = any(hit.position.tier for hit in hits)
        corrected = self._corrector.corrected(text, query.filters.statuses, snapshot, is_found=is_found)
        if corrected.text is not None:
            tiers = TextTiers(corrected.query, snapshot)
            hits = by_relevance(query, filters, tiers, snapshot)
        return hits, tiers, corrected


def _run(work: Callable[[], T]) -> T:
    with translated():
        return work()
