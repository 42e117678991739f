"""The event log, read-only, for events that Kafka did not deliver."""

from collections.abc import Mapping
from uuid import UUID

import asyncpg
import msgspec

from projector.applying.ports import WaitingEvent
from projector.postgres.failures import translated_read
from shared.contract.recorded_event import EventMetadata, RecordedEvent
from shared.postgres.sql import load_sql

_SERVER = "event store"
_PACKAGE = "projector.applying"
# Limits one answer: after a flush of Redis, the events of a whole batch of products are read.
PRODUCTS_PER_QUERY_MAX = 200
_metadata = msgspec.json.Decoder(EventMetadata)


class PostgresEventLog:
    """Implements `ports.EventLog`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def log_id(self) -> UUID:
        """Raises `Unavailable` while the event store cannot be reached."""
        with translated_read(_SERVER):
            found = await self._pool.fetchval(load_sql(_PACKAGE, "select_log_id"))
        return UUID(int=found.int)

    async def newest_position(self) -> int:
        """Raises `Unavailable` while the event store cannot be reached."""
        with translated_read(_SERVER):
            return int(await self._pool.fetchval(load_sql(_PACKAGE, "select_newest_position")))

    async def waiting_after(self, position: int, events_max: int) -> list[WaitingEvent]:
        """The events after a position, without their contents. Raises `Unavailable`."""
        with translated_read(_SERVER):
            sql = load_sql(_PACKAGE, "select_waiting_events")
            rows = await self._pool.fetch(sql, position, events_max)
        return [WaitingEvent(row[0], UUID(int=row[1].int), row[2]) for row in rows]

    async def events_after(self, stream_versions: Mapping[UUID, int]) -> Mapping[UUID, list[RecordedEvent]]:
        """For each product its events above the given version. Raises `Unavailable`."""
        found: dict[UUID, list[RecordedEvent]] = {}
        wanted = list(stream_versions.items())
        for start in range(0, len(wanted), PRODUCTS_PER_QUERY_MAX):
            product_ids, versions = zip(*wanted[start : start + PRODUCTS_PER_QUERY_MAX], strict=True)
            sql = load_sql(_PACKAGE, "select_events_after")
            with translated_read(_SERVER):
                rows = await self._pool.fetch(sql, product_ids, versions)
            for row in rows:
                found.setdefault(row["product_id"], []).append(recorded_event(row))
        return found


def recorded_event(row: asyncpg.Record) -> RecordedEvent:
    """A row of the log with its metadata."""
    return RecordedEvent(
        log_position=row["position"],
        product_id=row["product_id"],
        stream_version=row["stream_version"],
        event_type=row["event_type"],
        schema_version=row["schema_version"],
        data=row["data"],
        metadata=_metadata.decode(row["metadata"]),
        recorded_at=row["recorded_at"],
    )
