"""Reads the event log, a bounded number of events and bytes at a time: an event may have half a MiB."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from query_api.history.ports import Head, VersionAt
from query_api.postgres.bounded_reads import BoundedReads
from shared.contract.recorded_event import EventMetadata, RecordedEvent
from shared.postgres.sql import load_sql

_SQL = "query_api.history.postgres"
# The loop folds one page without a pause: 500 events of a usual product take some 5 ms.
PAGE_EVENTS_MAX = 500
PAGE_BYTES_MAX = 4 * 1024 * 1024
_metadata = msgspec.json.Decoder(EventMetadata)


class PostgresStreamLog:
    """Adapter of `StreamLog`."""

    def __init__(self, reads: BoundedReads) -> None:
        self._reads = reads

    async def head(self, product_id: UUID, *, with_position: bool) -> Head:
        sql = load_sql(_SQL, "select_stream_head")
        record = await self._reads.fetchrow(sql, product_id, with_position)
        assert record is not None  # always one row
        return Head(*record)

    async def version_at(self, product_id: UUID, time: datetime) -> VersionAt | None:
        record = await self._reads.fetchrow(load_sql(_SQL, "select_version_at"), product_id, time)
        return None if record is None or record["stream_version"] is None else VersionAt(*record)

    async def page(self, product_id: UUID, above_version: int, up_to_version: int) -> Sequence[RecordedEvent]:
        rows = await self._reads.fetch(
            load_sql(_SQL, "select_stream_page"),
            product_id,
            above_version,
            up_to_version,
            PAGE_EVENTS_MAX,
            PAGE_BYTES_MAX,
        )
        return [recorded_event(row) for row in rows]


def recorded_event(row: asyncpg.Record) -> RecordedEvent:
    """An event as the functions of the log return it."""
    return RecordedEvent(
        log_position=row["log_position"],
        product_id=UUID(int=row["product_id"].int),
        stream_version=row["stream_version"],
        event_type=row["event_type"],
        schema_version=row["schema_version"],
        data=row["data"],
        metadata=_metadata.decode(row["metadata"]),
        recorded_at=row["recorded_at"],
    )
