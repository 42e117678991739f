"""Reads the log for the feed: no read returns more than a bounded number of events and bytes."""

from collections.abc import Sequence

from query_api.events.feed_event import matches
from query_api.events.ports import EventFilter, LogEnd, Stretch
from query_api.history.postgres.stream_log import recorded_event
from query_api.postgres.bounded_reads import BoundedReads
from shared.contract.recorded_event import RecordedEvent
from shared.postgres.sql import load_sql

_SQL = "query_api.events.postgres"
# The loop encodes one read without a pause: 500 usual events take some 5 ms.
NEXT_EVENTS_MAX = 500
NEXT_BYTES_MAX = 1024 * 1024
# How many events one request looks at, for those that match.
LOOKED_EVENTS_MAX = 5000
PAGE_BYTES_MAX = 4 * 1024 * 1024


class PostgresEventLog:
    """Adapter of `EventLog`. Raises `EventLogUnavailable` or `Overloaded`."""

    def __init__(self, reads: BoundedReads, *, looked_events_max: int = LOOKED_EVENTS_MAX) -> None:
        self._reads = reads
        self._looked_events_max = looked_events_max

    async def end(self) -> LogEnd:
        record = await self._reads.fetchrow(load_sql(_SQL, "select_log_end"))
        assert record is not None  # always one row
        return LogEnd(record["log_id"], record["newest_position"], record["removed_position"])

    async def next_events(self, after: int) -> Sequence[RecordedEvent]:
        sql = load_sql(_SQL, "select_next_events")
        rows = await self._reads.fetch(sql, after, NEXT_EVENTS_MAX, NEXT_BYTES_MAX)
        return [recorded_event(row) for row in rows]

    async def matching(self, after: int, wanted: EventFilter, events_max: int) -> Stretch:
        if wanted.since is not None:
            sql = load_sql(_SQL, "select_position_at")
            found_place = await self._reads.fetchrow(sql, wanted.since, after)
            assert found_place is not None  # always one row
            after = found_place["log_position"]
        if wanted.product_id is not None:
            return await self._of_product(after, wanted, events_max)
        types = None if wanted.types is None else sorted(wanted.types)
        rows = await self._reads.fetch(
            load_sql(_SQL, "select_matching_events"),
            after, self._looked_events_max, types, wanted.since, wanted.until, events_max, PAGE_BYTES_MAX,
        )  # fmt: skip
        found = [recorded_event(row) for row in rows if row["log_position"] is not None]
        # At a limit there may be more that match before the place up to which was looked.
        is_cut = bool(found) and (len(found) == events_max or len(found) < rows[0]["matching_count"])
        place = found[-1].log_position if is_cut else rows[0]["looked_position"]
        return Stretch(found, place, not is_cut and rows[0]["looked_count"] < self._looked_events_max)

    async def _of_product(self, after: int, wanted: EventFilter, events_max: int) -> Stretch:
        sql = load_sql(_SQL, "select_product_events")
        rows = await self._reads.fetch(sql, wanted.product_id, after, events_max, PAGE_BYTES_MAX)
        events = [recorded_event(row) for row in rows if row["log_position"] is not None]
        is_cut = len(events) == events_max or sum(len(each.data) for each in events) >= PAGE_BYTES_MAX
        place = events[-1].log_position if is_cut else max(after, rows[0]["newest_position"])
        return Stretch([each for each in events if matches(each, wanted)], place, not is_cut)
