"""The parts of search, wired by constructors: an engine and those who use it, with either engine."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from query_api.consistency.visibility import Visibility
from query_api.cursors import Cursors
from query_api.embedded_index import EmbeddedIndex, embedded_index, followed
from query_api.products.documents import HitDocuments
from query_api.products.http.list_routes import SearchReads
from query_api.products.list_choice import ListChoice
from query_api.products.ports import PagePosition, ProductCache, ProductTable
from query_api.products.searches import SearchProducts
from query_api.products.suggestions import SuggestProducts
from query_api.search.http import IN_OPENSEARCH, OFF
from query_api.search.opensearch.checkpoints import OpenSearchCheckpoints, OpenSearchProgress
from query_api.search.opensearch.engine import OpenSearchEngine
from query_api.search.opensearch.reporting import OpenSearchReport
from query_api.search.opensearch.searches import Searches
from query_api.search.ports import SearchEngine, SearchProgress
from query_api.search.progress import IndexProgress
from query_api.search.query import HitPosition
from query_api.search.reporting import SearchReport
from query_api.search.synonyms import synonyms_of
from query_api.settings import QuerySettings
from shared.contract.addresses import topics
from shared.ops.breaker import CircuitBreaker
from shared.ops.health import Health
from shared.ops.http.problem import Problem
from shared.ops.measuring import Measurement
from shared.search.opensearch.address import SearchAddress
from shared.search.opensearch.client import OpenSearchClient
from shared.search.opensearch.mapping import alias_of

SEARCHES_MAX, SEARCHES_IN_OPENSEARCH_MAX = 2, 16
_CHECK_SECONDS_MAX = 2.0
_CHECK_SECONDS_MORE = 1.0
"""Longer than OpenSearch may take: readiness tells its own reason, not that it was not waited for."""


class _Engine(NamedTuple):
    engine: SearchEngine
    progress: IndexProgress | OpenSearchProgress
    report: SearchReport | None
    own: EmbeddedIndex | None
    check_seconds_max: float = _CHECK_SECONDS_MAX


class Search(NamedTuple):
    """`own` is what only a process with an index of its own has. `report` None: search is off; its check may
    take `check_seconds_max`. `rebuild` is what an operator may order, or how that is answered.
    """

    reads: SearchReads
    engine: SearchEngine
    progress: IndexProgress | OpenSearchProgress
    report: SearchReport | None
    own: EmbeddedIndex | None
    check_seconds_max: float

    @property
    def rebuild(self) -> Callable[[], None] | Problem:
        """Begins another index; a problem: the answer where nobody can order one here."""
        if self.own is None:
            return IN_OPENSEARCH
        return OFF if self.own.feed is None else self.own.feed.rebuild

    def watched_by(self, health: Health) -> Sequence[Measurement]:
        """What readiness tells, and what is measured. Reads by id do not need it: see `reporting.py`."""
        if self.report is not None:
            health.tell("search index", self.report.check, self.check_seconds_max)
        report = None if self.own is None else self.own.report
        if report is None:
            return ()
        health.require("start of the search index", report.check_start)
        return (report.measurement(),)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Raises `FolderIsInUse`, or OSError for the folder."""
        if self.own is None:
            yield
            return
        async with followed(self.own):
            yield


def search_parts(
    settings: QuerySettings,
    table: ProductTable,
    cache: ProductCache,
    visibility: Visibility,
    stack: AsyncExitStack,
) -> Search:
    """Raises `MalformedSynonyms` or `OSError` for a file of synonyms that cannot be read."""
    address = settings.search_address
    if address is None or settings.search == "off":
        made = _embedded(settings, stack)
    else:
        made = _in_opensearch(settings, address, stack)
    documents = HitDocuments(table, cache, visibility)
    signing_key = settings.cursor_signing_key.read().encode()
    cursors = Cursors(signing_key, HitPosition)
    choice = ListChoice(Cursors(signing_key, PagePosition), None if settings.search == "off" else cursors)
    progress: SearchProgress = made.progress
    reads = SearchReads(
        SearchProducts(
            made.engine, progress, documents, cursors, page_bytes_max=settings.list_page_bytes_max
        ),
        SuggestProducts(made.engine, progress, documents),
        synonyms_of(settings.search_synonyms_file),
        choice,
    )
    return Search(reads, *made)


def _embedded(settings: QuerySettings, stack: AsyncExitStack) -> _Engine:
    index = embedded_index(settings, stack, searches_max=settings.searches_max or SEARCHES_MAX)
    return _Engine(index.engine, index.progress, index.report, index)


def _in_opensearch(settings: QuerySettings, address: SearchAddress, stack: AsyncExitStack) -> _Engine:
    searches_max = settings.searches_max or SEARCHES_IN_OPENSEARCH_MAX
    client = OpenSearchClient(
        address,
        # One more, for the checkpoints.
        connections_max=searches_max + 1,
        seconds_max=settings.search_seconds_max,
        connect_seconds_max=min(settings.search_seconds_max, settings.search_connect_seconds_max),
    )
    stack.push_async_callback(client.close)
    searches = Searches(
        client,
        alias_of(settings.search_index_prefix),
        searches_max=searches_max,
        waiting_max=settings.searches_waiting_max,
        seconds_max=settings.search_seconds_max,
        breaker=CircuitBreaker(
            failures_max=settings.search_failures_max, open_seconds=settings.search_open_seconds
        ),
    )
    topic = topics(settings.kafka_topic_prefix).events
    checkpoints = OpenSearchCheckpoints(searches, topic, partition_count=settings.partition_count)
    visibility = Visibility(checkpoints, waiters_max=settings.waiters_max)
    stack.push_async_callback(visibility.close)
    progress = OpenSearchProgress(visibility)
    return _Engine(
        OpenSearchEngine(searches),
        progress,
        OpenSearchReport(checkpoints),
        None,
        settings.search_seconds_max + _CHECK_SECONDS_MORE,
    )
