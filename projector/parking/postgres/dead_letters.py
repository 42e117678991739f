"""Dead letters in PostgreSQL, as operators and the dead-letter topic read them; and orders to park."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from projector.applying.dead_letters import Action
from projector.control.postgres import record_action
from projector.parking.copy_ports import Uncopied
from projector.parking.ports import Count, Narrowed, Place
from projector.postgres.failures import translated
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg

_SERVER = "read model"
_PACKAGE = "projector.parking.postgres"


class PostgresDeadLetters:
    """Every method raises `Unavailable` while PostgreSQL cannot be reached."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def products(
        self,
        projection: str | None,
        narrowed: Narrowed,
        limit: int,
        *,
        until: datetime | None = None,
        after: Place | None = None,
    ) -> list[dict[str, Any]]:
        """One row for each parked product; see `list_parked_products.sql`."""
        place = (None, None) if after is None else after
        return await self._rows("list_parked_products", projection, *narrowed, until, *place, limit)

    async def alone(
        self,
        projection: str | None,
        narrowed: Narrowed,
        limit: int,
        *,
        until: datetime | None = None,
        after: int | None = None,
    ) -> list[dict[str, Any]]:
        """One row for each record that is parked alone; see `list_parked_alone.sql`."""
        return await self._rows("list_parked_alone", projection, *narrowed, until, after, limit)

    async def count(self, projection: str | None, narrowed: Narrowed) -> Count:
        """See `count_dead_letters.sql`."""
        (row,) = await self._rows("count_dead_letters", projection, *narrowed)
        return Count(**row)

    async def events(
        self, projection: str | None, narrowed: Narrowed, limit: int
    ) -> tuple[list[dict[str, Any]], int]:
        """One row for each record, with its bytes; see `show_dead_letters.sql`."""
        rows = await self._rows("show_dead_letters", projection, *narrowed[:2], limit)
        totals = [row.pop("total") for row in rows]
        return rows, totals[0] if totals else 0

    async def order_parking(
        self, projection: str, topic: str, partition: int, offset: int, action: Action
    ) -> None:
        """The projection parks that record when it reads it."""
        with translated(_SERVER):
            async with self._pool.acquire() as connection, connection.transaction():
                sql = load_sql(_PACKAGE, "insert_park_order")
                await connection.execute(sql, projection, topic, partition, offset, action.reason)
                at = f"{topic}[{partition}]@{offset}"
                await record_action(connection, action, projection, None, at)

    @asynccontextmanager
    async def uncopied(
        self, projections: Collection[str], events_max: int
    ) -> AsyncIterator[Sequence[Uncopied]]:
        """Some records for the dead-letter topic; marked as copied when the block ends without an error."""
        with translated(_SERVER):
            async with self._pool.acquire() as connection, connection.transaction():
                rows = await connection.fetch(
                    load_sql(_PACKAGE, "select_uncopied_dead_letters"), list(projections), events_max
                )
                yield [_uncopied(row) for row in rows]
                ids = [row["parked_event_id"] for row in rows]
                if ids:
                    await connection.execute(load_sql(_PACKAGE, "mark_dead_letters_copied"), ids)

    async def _rows(self, name: str, *arguments: Any) -> list[dict[str, Any]]:
        with translated(_SERVER):
            return [dict(row) for row in await self._pool.fetch(load_sql(_PACKAGE, name), *arguments)]


def _uncopied(row: "asyncpg.Record") -> Uncopied:
    *fields, names, values, error_class, cause = row
    headers = tuple(zip(names, values, strict=True))
    return Uncopied._make([*fields, headers, error_class, cause])
