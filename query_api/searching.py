"""The parts of search, wired by constructors: the live index, the engine that reads it, and their users."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from query_api.consistency.visibility import Visibility
from query_api.cursors import Cursors
from query_api.products.documents import HitDocuments
from query_api.products.http.list_routes import SearchReads
from query_api.products.ports import ProductCache, ProductTable
from query_api.products.searches import SearchProducts
from query_api.products.suggestions import SuggestProducts
from query_api.search.feed import IndexFeed
from query_api.search.folders import IndexFolders
from query_api.search.index_run import FeedLimits
from query_api.search.kafka.states import KafkaStateTopic
from query_api.search.live import LiveIndex
from query_api.search.progress import IndexProgress
from query_api.search.query import HitPosition
from query_api.search.reporting import IndexReport
from query_api.search.synonyms import synonyms_of
from query_api.search.tantivy.engine import TantivyEngine
from query_api.search.tantivy.index import TantivyIndex, scheme
from query_api.settings import QuerySettings
from shared.contract.addresses import state_topic
from shared.ops.concurrency.waits import stopped


@dataclass(frozen=True, slots=True)
class Search:
    """`live` and `progress` are what the feed moves on. `feed` and `report` None: search is off."""

    live: LiveIndex[TantivyIndex]
    progress: IndexProgress
    reads: SearchReads
    folders: IndexFolders
    feed: IndexFeed[TantivyIndex] | None
    report: IndexReport | None


def search_parts(
    settings: QuerySettings,
    table: ProductTable,
    cache: ProductCache,
    visibility: Visibility,
    stack: AsyncExitStack,
) -> Search:
    """Raises `MalformedSynonyms` or `OSError` for a file of synonyms that cannot be read."""
    is_off = settings.search == "off"
    live: LiveIndex[TantivyIndex] = LiveIndex("search is switched off") if is_off else LiveIndex()
    progress = IndexProgress(waiters_max=settings.waiters_max)
    engine = TantivyEngine(
        lambda: live.current,
        searches_max=settings.searches_max,
        waiting_max=settings.searches_waiting_max,
    )
    stack.callback(engine.close)
    documents = HitDocuments(table, cache, visibility)
    cursors = Cursors(settings.cursor_signing_key.read().encode(), HitPosition)
    folders = IndexFolders(settings.search_index_folder, scheme())
    feed = None if is_off else _feed(settings, folders, live, progress)
    return Search(
        live,
        progress,
        SearchReads(
            SearchProducts(engine, progress, documents, cursors, page_bytes_max=settings.list_page_bytes_max),
            SuggestProducts(engine, progress, documents),
            synonyms_of(settings.search_synonyms_file),
        ),
        folders,
        feed,
        None if feed is None else IndexReport(feed, start_seconds_max=settings.search_start_seconds_max),
    )


@asynccontextmanager
async def followed(search: Search) -> AsyncIterator[None]:
    """The index follows the topic of states meanwhile. Raises `FolderIsInUse`, or OSError for the folder."""
    if search.feed is None:
        yield
        return
    search.folders.open()
    following = asyncio.create_task(search.feed.run(), name="search-feed")
    try:
        yield
    finally:
        await stopped(following)
        search.folders.close()


def _feed(
    settings: QuerySettings,
    folders: IndexFolders,
    live: LiveIndex[TantivyIndex],
    progress: IndexProgress,
) -> IndexFeed[TantivyIndex]:
    topic = KafkaStateTopic(
        settings.kafka_servers,
        state_topic(settings.kafka_topic_prefix),
        partition_count=settings.partition_count,
    )
    limits = FeedLimits(
        commit_seconds=settings.search_commit_seconds,
        age_seconds_max=settings.search_index_age_seconds_max,
    )
    return IndexFeed(topic, folders, TantivyIndex, live, progress, limits=limits)
