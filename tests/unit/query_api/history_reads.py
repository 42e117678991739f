"""The use cases of the past over a log in memory."""

from uuid import UUID

from query_api.cursors import Cursors
from query_api.history.history_pages import HistoryPages, VersionPosition
from query_api.history.past_versions import PastVersions
from query_api.history.price_history import PriceHistory, PricePosition
from query_api.history.reader import Reader
from query_api.history.streams import Streams
from shared.contract import events as e
from tests.in_memory_stream_log import InMemorySnapshots, InMemoryStreamLog
from tests.past_events import past_events

ALL = Reader(sees_drafts=True, sees_deleted=True)
EDITOR = Reader(sees_drafts=True, sees_deleted=False)
AUDITOR = Reader(sees_drafts=False, sees_deleted=True)
READER = Reader(sees_drafts=False, sees_deleted=False)


class Past:
    """`log` is where events go."""

    def __init__(
        self,
        *,
        events_max: int = 1000,
        page_bytes_max: int = 1_000_000,
        page_events_max: int = 500,
        log: InMemoryStreamLog | None = None,
    ) -> None:
        self.log = log or InMemoryStreamLog(page_events_max=page_events_max)
        self.snapshots = InMemorySnapshots()
        self.streams = Streams(self.log, self.snapshots, events_max=events_max)
        self.versions = PastVersions(self.streams)
        self.pages = HistoryPages(
            self.streams, Cursors(b"key", VersionPosition), page_bytes_max=page_bytes_max
        )
        self.prices = PriceHistory(self.streams, Cursors(b"key", PricePosition), events_max=events_max)

    async def happened(self, *happened: e.ProductEvent) -> UUID:
        """A product with these events, a day apart; returns its id."""
        return await self.log.append(past_events(*happened))
