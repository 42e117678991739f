"""The event store, as far as webhooks read it: streams of endpoints, and the log of products."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from projector.applying.postgres import recorded_event
from projector.postgres.failures import translated_read
from projector.webhooks.ports import Change, Changes, EndpointStates
from shared.contract.recorded_event import RecordedEvent
from shared.postgres.sql import load_sql
from shared.webhooks.endpoint import REGISTERED, decoded

if TYPE_CHECKING:
    import asyncpg

_SERVER = "event store"
_PACKAGE = "projector.webhooks.postgres"
CHANGES_MAX = 200
NEXT_EVENTS_MAX = 500
NEXT_BYTES_MAX = 4 * 1024 * 1024


class PostgresEndpointLog:
    """Implements `EndpointLog`. The pool may be one of a replica."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def changes_after(self, change_position: int) -> Changes:
        with translated_read(_SERVER):
            sql = load_sql(_PACKAGE, "select_endpoint_changes")
            rows = await self._pool.fetch(sql, change_position, CHANGES_MAX)
        changes = [
            _change(row, row["event_type"], row["data"].encode(), row["recorded_at"])
            for row in rows
            if row["endpoint_id"] is not None
        ]
        return Changes(UUID(int=rows[0]["log_id"].int), rows[0]["newest_position"], changes)

    async def endpoint_states(self) -> EndpointStates:
        with translated_read(_SERVER):
            rows = await self._pool.fetch(load_sql(_PACKAGE, "select_endpoint_states"))
        states = [_change(row, REGISTERED, b"{}", None) for row in rows if row["endpoint_id"] is not None]
        first = rows[0]
        return EndpointStates(
            UUID(int=first["log_id"].int), first["newest_position"], first["last_change_position"], states
        )

    async def next_events(self, after: int) -> Sequence[RecordedEvent]:
        with translated_read(_SERVER):
            sql = load_sql(_PACKAGE, "select_next_events")
            rows = await self._pool.fetch(sql, after, NEXT_EVENTS_MAX, NEXT_BYTES_MAX)
        return [recorded_event(row) for row in rows]

    async def event_at(self, log_position: int) -> RecordedEvent | None:
        with translated_read(_SERVER):
            row = await self._pool.fetchrow(load_sql(_PACKAGE, "select_event_at"), log_position)
        return None if row is None else recorded_event(row)


def _change(row: "asyncpg.Record", event_type: str, data: bytes, recorded_at: Any) -> Change:
    document = decoded(row["document"])
    return Change(
        row["change_position"],
        UUID(int=row["endpoint_id"].int),
        event_type,
        data,
        recorded_at or document.updated_at,
        row["is_deleted"],
        document,
        row["stream_version"],
    )
