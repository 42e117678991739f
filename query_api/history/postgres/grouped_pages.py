"""Reads pages of many streams at once: all that wait are one statement, and at most one is in flight. So one
connection is enough, and a thousand readers of one product cost one page.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from query_api.errors import EventLogUnavailable
from query_api.history.postgres.stream_log import PAGE_BYTES_MAX, recorded_event
from query_api.postgres.bounded_reads import BoundedReads
from shared.contract.recorded_event import RecordedEvent
from shared.ops.concurrency.coalesced_reads import CoalescedReads
from shared.postgres.sql import load_sql

_SQL = "query_api.history.postgres"
_STREAMS_PER_STATEMENT_MAX = 64


class _Asked(NamedTuple):
    product_id: UUID
    above_version: int
    up_to_version: int


class GroupedStreamPages:
    """Adapter of `StreamPages`. Raises `EventLogUnavailable` or `Overloaded`."""

    def __init__(self, reads: BoundedReads, *, events_max: int) -> None:
        self._reads = reads
        self._events_max = events_max
        self._pages: CoalescedReads[_Asked, Sequence[RecordedEvent]] = CoalescedReads(
            self._read, unavailable=EventLogUnavailable, keys_max=_STREAMS_PER_STATEMENT_MAX
        )

    async def page(self, product_id: UUID, above_version: int, up_to_version: int) -> Sequence[RecordedEvent]:
        return await self._pages.get(_Asked(product_id, above_version, up_to_version)) or ()

    async def _read(self, asked: list[_Asked]) -> Sequence[Sequence[RecordedEvent]]:
        limits = (self._events_max, PAGE_BYTES_MAX)
        if len(asked) == 1:  # the usual case, for two thirds of the server's time
            rows = await self._reads.fetch(load_sql(_SQL, "select_stream_page"), *asked[0], *limits)
            return [[recorded_event(row) for row in rows]]
        sql = load_sql(_SQL, "select_stream_pages")
        found: list[list[RecordedEvent]] = [[] for _ in asked]
        columns = map(list, zip(*asked, strict=True))
        for row in await self._reads.fetch(sql, *columns, *limits):
            found[row["place"] - 1].append(recorded_event(row))
        return found
