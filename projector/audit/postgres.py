"""The audit log in PostgreSQL: a table to which the projector's role may add, and nothing else."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import structs

from projector.applying.dead_letters import Action
from projector.audit.ports import Choice, RecordedAction, Result
from projector.postgres.failures import translated
from projector.postgres.text import storable
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

_SERVER = "read model"
_PACKAGE = "projector.audit"


class PostgresAuditLog:
    """Implements `AuditLog`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def record(
        self, action: Action, projection: str, result: Result, detail: str, product_id: UUID | None = None
    ) -> None:
        with translated(_SERVER):
            async with self._pool.acquire() as connection:
                await record_action(connection, action, projection, product_id, detail, result=result)

    async def recorded(self, choice: Choice, actions_max: int) -> Sequence[RecordedAction]:
        with translated(_SERVER):
            sql = load_sql(_PACKAGE, "select_operator_actions")
            return [_recorded(row) for row in await self._pool.fetch(sql, *choice, actions_max)]

    @asynccontextmanager
    async def unlogged(self, actions_max: int) -> AsyncIterator[Sequence[RecordedAction]]:
        with translated(_SERVER):
            async with self._pool.acquire() as connection, connection.transaction():
                rows = await connection.fetch(load_sql(_PACKAGE, "take_unlogged_actions"), actions_max)
                yield [_recorded(row) for row in rows]


async def record_action(
    connection: "PoolConnectionProxy[asyncpg.Record]",
    action: Action,
    projection: str,
    product_id: UUID | None,
    detail: str,
    *,
    result: Result = "done",
) -> None:
    """Stores the action; if it changed rows, call it in their transaction."""
    await connection.execute(
        load_sql(_PACKAGE, "insert_operator_action"),
        action.actor,
        action.action,
        projection,
        product_id,
        action.reason,
        result,
        storable(detail),
    )


def _recorded(row: "asyncpg.Record") -> RecordedAction:
    product_id = row["product_id"]
    of_python = None if product_id is None else UUID(int=product_id.int)
    return structs.replace(RecordedAction(*row), product_id=of_python)
