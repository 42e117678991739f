"""Walks through the versions of a product, from the log, with a bounded number of events per request.

The log may be a replica, or several. So what a walk reads is checked, version by version: an answer of a
server that is behind is refused, and never taken for the whole past.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from time import perf_counter
from typing import NamedTuple
from uuid import UUID

from query_api.consistency.visibility import Consistency
from query_api.errors import HistoryTooLong, HistoryUnreadable, ProductNotFound, ReadModelBehind
from query_api.history.fold import Unreadable, next_document
from query_api.history.ports import Head, Snapshot, Snapshots, StreamLog
from query_api.history.reader import Reader
from shared.contract.recorded_event import RecordedEvent
from shared.contract.snapshots import SNAPSHOT_VERSIONS
from shared.contract.views import ProductDocument
from shared.ops.logs import get_logger
from shared.ops.overload.place import resting

_BEHIND = "this server of the event log has not got the write yet"
_ASK_AGAIN_SECONDS = 0.025
# A restored log has lost minutes, so few of them.
_LOST_SNAPSHOTS_MAX = 5
_log = get_logger(__name__)


class Stream(NamedTuple):
    """A product that a reader may ask about, and its newest version."""

    product_id: UUID
    newest_version: int
    reader: Reader


class Step(NamedTuple):
    """One event, and the document before and after it; None: the product was not there."""

    event: RecordedEvent
    before: ProductDocument | None
    after: ProductDocument | None


class Streams:
    """Every method raises `ProductNotFound`, or `Unavailable` if the log cannot answer."""

    def __init__(self, log: StreamLog, snapshots: Snapshots, *, events_max: int) -> None:
        self._log = log
        self._snapshots = snapshots
        self._events_max = events_max

    async def find(self, product_id: UUID, reader: Reader, consistency: Consistency | None) -> Stream:
        """The stream, as new as the token says. For who may not see it, it does not exist."""
        head = await self._head(product_id, consistency)
        if head.stream_version is None or head.is_archived:
            raise ProductNotFound
        stream = Stream(product_id, head.stream_version, reader)
        if not reader.sees_everything:
            newest = await self.at(stream, stream.newest_version)
            if not reader.may_ask(newest.after):
                raise ProductNotFound
        return stream

    async def version_at(self, stream: Stream, time: datetime) -> int:
        """The version at this time; 0: the product began later."""
        found = await self._log.version_at(stream.product_id, time)
        if found is None or found.newest_version < stream.newest_version:
            raise ReadModelBehind(_BEHIND)
        return min(found.stream_version, stream.newest_version)

    async def at(self, stream: Stream, stream_version: int) -> Step:
        """The step that led to a version, which the stream has."""
        async for step in self.steps(stream, stream_version, stream_version):
            return step
        raise AssertionError("a walk of one step has one")

    async def steps(self, stream: Stream, lowest: int, highest: int) -> AsyncIterator[Step]:
        """The steps to these versions, in order; both are versions of the stream."""
        version, document = await self._start(stream, lowest - 1)
        if highest - version > self._events_max:
            raise HistoryTooLong(
                f"{highest - version} events would have to be read, and {self._events_max} are at most: "
                "`python -m projector snapshots` makes the snapshots that are missing"
            )
        while version < highest:
            page = await self._log.page(stream.product_id, version, highest)
            if not page:
                raise ReadModelBehind(_BEHIND)
            for event in page:
                if event.stream_version != version + 1:
                    raise ProductNotFound  # archived meanwhile
                after = _next(document, event)
                version = event.stream_version
                if version >= lowest:
                    yield Step(event, document, after)
                document = after

    async def _start(self, stream: Stream, up_to_version: int) -> tuple[int, ProductDocument | None]:
        """The version to fold from, and its document: that of a snapshot if the stream is long.

        A snapshot may be of events that a restore of the log has lost. Position and time of its event tell:
        the log never gives both twice.
        """
        if up_to_version < SNAPSHOT_VERSIONS:
            return 0, None
        for _ in range(_LOST_SNAPSHOTS_MAX):
            found = await self._snapshots.newest(stream.product_id, up_to_version)
            if found is None:
                break
            events = await self._log.page(stream.product_id, found.stream_version - 1, found.stream_version)
            if any(_made(event, found) for event in events):
                return found.stream_version, found.document
            up_to_version = found.stream_version - 1
        return 0, None

    async def _head(self, product_id: UUID, consistency: Consistency | None) -> Head:
        """Waits for the token's write, if the log is a replica; the primary has it."""
        if consistency is None:
            return await self._log.head(product_id, with_position=False)
        with_position = not consistency.is_of(product_id)
        ends = perf_counter() + consistency.wait_seconds
        while True:
            head = await self._log.head(product_id, with_position=with_position)
            if _has(head, product_id, consistency):
                return head
            if perf_counter() >= ends:
                raise ReadModelBehind(_BEHIND)
            with resting():
                await asyncio.sleep(_ASK_AGAIN_SECONDS)


def _made(event: RecordedEvent, snapshot: Snapshot) -> bool:
    is_its_place = event.log_position == snapshot.log_position
    return is_its_place and event.recorded_at == snapshot.document.updated_at


def _has(head: Head, product_id: UUID, consistency: Consistency) -> bool:
    """Whether this server has the write. Position order is commit order, so one position says it of all."""
    if head.newest_position is None:
        return consistency.is_met_by(product_id, head.stream_version or 0)
    return head.newest_position >= max(consistency.token.positions.values(), default=0)


def _next(document: ProductDocument | None, event: RecordedEvent) -> ProductDocument | None:
    try:
        return next_document(document, event)
    except Unreadable as error:
        _log.error("history cannot be read", product_id=str(event.product_id), reason=str(error))
        raise HistoryUnreadable(str(error)) from error
