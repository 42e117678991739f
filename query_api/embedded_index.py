"""The parts of a search index of this process: the live index, its feed, and the engine that reads it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from query_api.search.feed import IndexFeed
from query_api.search.feed_limits import FeedLimits
from query_api.search.folders import IndexFolders
from query_api.search.kafka.states import KafkaStateTopic
from query_api.search.live import LiveIndex
from query_api.search.progress import IndexProgress
from query_api.search.reporting import IndexReport
from query_api.search.tantivy.engine import TantivyEngine
from query_api.search.tantivy.index import TantivyIndex, scheme
from query_api.settings import QuerySettings
from shared.contract.addresses import state_topic
from shared.ops.concurrency.waits import stopped


@dataclass(frozen=True, slots=True)
class EmbeddedIndex:
    """`live` and `progress` are what the feed moves on. `feed` and `report` None: search is off."""

    engine: TantivyEngine
    live: LiveIndex[TantivyIndex]
    progress: IndexProgress
    folders: IndexFolders
    feed: IndexFeed[TantivyIndex] | None
    report: IndexReport | None


def embedded_index(settings: QuerySettings, stack: AsyncExitStack, *, searches_max: int) -> EmbeddedIndex:
    """`SEARCH=off`: an engine that refuses every search."""
    is_off = settings.search == "off"
    live: LiveIndex[TantivyIndex] = LiveIndex("search is switched off") if is_off else LiveIndex()
    engine = TantivyEngine(
        lambda: live.current, searches_max=searches_max, waiting_max=settings.searches_waiting_max
    )
    stack.callback(engine.close)
    progress = IndexProgress(waiters_max=settings.waiters_max)
    folders = IndexFolders(settings.search_index_folder, scheme())
    feed = None if is_off else _feed(settings, folders, live, progress)
    report = None if feed is None else IndexReport(feed, start_seconds_max=settings.search_start_seconds_max)
    return EmbeddedIndex(engine, live, progress, folders, feed, report)


@asynccontextmanager
async def followed(index: EmbeddedIndex) -> AsyncIterator[None]:
    """The index follows the topic of states meanwhile. Raises `FolderIsInUse`, or OSError for the folder."""
    if index.feed is None:
        yield
        return
    index.folders.open()
    following = asyncio.create_task(index.feed.run(), name="search-feed")
    try:
        yield
    finally:
        await stopped(following)
        index.folders.close()


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
        commit_seconds_max=settings.search_commit_seconds_max,
        age_seconds_max=settings.search_index_age_seconds_max,
    )
    return IndexFeed(topic, folders, TantivyIndex, live, progress, limits=limits)
