"""The endpoints in the read model, and what their owners request."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from projector.postgres.failures import translated
from projector.webhooks.ports import Change, Changes, Earlier, Endpoint, EndpointStates, Message, Request
from shared.postgres.sql import load_sql
from shared.webhooks.endpoint import CHANGED, ENABLED, decoded, encoded

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

_SERVER = "read model"
_PACKAGE = "projector.webhooks.postgres"


class PostgresEndpoints:
    """Implements `Endpoints`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def place(self) -> tuple[int, UUID | None]:
        with translated(_SERVER):
            row = await self._pool.fetchrow(load_sql(_PACKAGE, "select_place"))
        return (0, None) if row is None else (row["change_position"], UUID(int=row["log_id"].int))

    async def delivery(self, endpoint_id: UUID, delivery_id: int) -> Earlier | None:
        with translated(_SERVER):
            row = await self._pool.fetchrow(load_sql(_PACKAGE, "select_delivery"), endpoint_id, delivery_id)
        if row is None:
            return None
        message = None
        if row["body"] is not None:
            values = (row[name] for name in Message._fields)
            message = Message._make(values)
        return Earlier(row["state"], row["log_position"], message)

    async def apply(self, changes: Changes, requests: Mapping[int, Request], after: int) -> bool:
        to = changes.changes[-1].change_position if changes.changes else after
        with translated(_SERVER):
            async with self._pool.acquire() as connection, connection.transaction():
                sql = load_sql(_PACKAGE, "move_place")
                if await connection.fetchval(sql, to, changes.log_id, after) is None:
                    return False
                for change in changes.changes:
                    await _apply(connection, change, requests[change.change_position])
        return True

    async def begin_anew(self, states: EndpointStates) -> None:
        with translated(_SERVER):
            async with self._pool.acquire() as connection, connection.transaction():
                sql = load_sql(_PACKAGE, "set_place")
                if await connection.fetchval(sql, states.change_position, states.log_id) is None:
                    return
                await connection.execute(load_sql(_PACKAGE, "leave_log"), states.newest_position)
                for state in states.endpoints:
                    await _upsert(connection, state)

    async def open_endpoints(self) -> Sequence[Endpoint]:
        with translated(_SERVER):
            rows = await self._pool.fetch(load_sql(_PACKAGE, "select_open_endpoints"))
        return [
            Endpoint(
                UUID(int=row["endpoint_id"].int),
                row["stream_version"],
                decoded(row["document"]),
                row["log_position"],
            )
            for row in rows
        ]


async def _apply(connection: "Connection", change: Change, request: Request) -> None:
    endpoint_id = change.endpoint_id
    await connection.execute(load_sql(_PACKAGE, "lock_endpoints"), [endpoint_id])
    if change.is_deleted:
        await connection.execute(load_sql(_PACKAGE, "delete_endpoint"), endpoint_id)
        return
    await _upsert(connection, change)
    if change.event_type == ENABLED:
        await connection.execute(load_sql(_PACKAGE, "enable_endpoint"), endpoint_id)
    if change.event_type in (ENABLED, CHANGED):
        await connection.execute(load_sql(_PACKAGE, "retry_lanes_now"), endpoint_id)
    if request.after is not None:
        await connection.execute(load_sql(_PACKAGE, "cancel_deliveries_after"), endpoint_id, request.after)
        await connection.execute(load_sql(_PACKAGE, "delete_empty_lanes"), endpoint_id)
        await connection.execute(load_sql(_PACKAGE, "move_endpoint_back"), endpoint_id, request.after)
    if request.retry is not None:
        await connection.execute(load_sql(_PACKAGE, "retry_delivery_now"), endpoint_id, request.retry)
    await add_messages(connection, endpoint_id, request.messages)


async def _upsert(connection: "Connection", change: Change) -> None:
    document = change.document
    await connection.execute(
        load_sql(_PACKAGE, "upsert_endpoint"),
        change.endpoint_id,
        change.endpoint_version,
        encoded(document),
        document.is_enabled,
        document.starts_after,
    )


async def add_messages(connection: "Connection", endpoint_id: UUID, messages: Sequence[Message]) -> None:
    """Into the queue of the endpoint, whose row the caller has locked."""
    if messages:
        columns = zip(*messages, strict=True)
        await connection.execute(load_sql(_PACKAGE, "add_messages"), endpoint_id, *map(list, columns))
