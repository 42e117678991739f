"""A feed on a topic and indexes in memory."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from query_api.search.feed import IndexFeed
from query_api.search.feed_limits import FeedLimits
from query_api.search.folders import IndexFolders
from query_api.search.live import LiveIndex
from query_api.search.ports import IndexedState
from query_api.search.progress import IndexProgress
from shared.ops.concurrency.waits import stopped
from tests.eventually import eventually
from tests.in_memory.state_topic import InMemoryIndexes, InMemoryProductIndex, InMemoryStateTopic

ONE, OTHER, THIRD = UUID(int=1), UUID(int=2), UUID(int=3)
QUICK = FeedLimits(
    commit_seconds=0.01,
    commit_seconds_max=0.01,
    awaited_commit_seconds=0.001,
    read_seconds_max=0.02,
    retry_seconds=0.01,
)


def state(
    product_id: UUID,
    stream_version: int,
    log_position: int,
    partition: int = 0,
    document: bytes | None = b"{}",
) -> IndexedState:
    """Of a live product; `document` None: deleted."""
    return IndexedState(product_id, stream_version, log_position, partition, document)


class FeedWorld:
    """What is outside of the feed, and lasts beyond its process. `skew_seconds` moves the feed's clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.topic = InMemoryStateTopic()
        self.indexes = InMemoryIndexes()
        self.scheme = "s1"
        self.skew_seconds = 0.0
        self.limits = QUICK
        self.live: LiveIndex[InMemoryProductIndex]
        self.progress: IndexProgress
        self.feed: IndexFeed[InMemoryProductIndex]

    @asynccontextmanager
    async def process(self) -> AsyncIterator[None]:
        """A process with a feed."""
        folders = IndexFolders(self.folder, self.scheme)
        folders.open()
        self.live, self.progress = LiveIndex(), IndexProgress(waiters_max=10)
        self.feed = IndexFeed(
            self.topic, folders, self.indexes.open, self.live, self.progress,
            limits=self.limits, clock=lambda: time.time() + self.skew_seconds,
        )  # fmt: skip
        running = asyncio.create_task(self.feed.run())
        try:
            yield
        finally:
            await stopped(running)
            folders.close()
        assert not self.indexes.open_folders

    def shown(self) -> Mapping[UUID, int]:
        """Version by product of the live index."""
        assert self.live.is_there
        return {key: one.stream_version for key, one in self.live.current.products.items()}

    async def shows(self, versions: Mapping[UUID, int]) -> None:
        """Wait until the live index has these products and no others."""

        def look() -> None:
            assert self.shown() == versions

        await eventually(look, 20)

    async def has_one_index(self) -> None:
        """Wait until the last one is closed and deleted, which comes after the switch."""

        def look() -> None:
            assert len(self.indexes.open_folders) == 1
            assert len(list(self.folder.glob("index-*"))) == 1

        await eventually(look, 20)
