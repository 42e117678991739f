"""Dead letters in PostgreSQL, as operators and the dead-letter topic read them; and orders to park."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from projector.applying.dead_letters import Action
from projector.audit.postgres import record_action
from projector.parking.answers import ListedDeadLetter
from projector.parking.copy_ports import Uncopied
from projector.parking.ports import Count, Narrowed
from projector.postgres.failures import translated
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg

_SERVER = "read model"
_PACKAGE = "projector.parking.postgres"


class PostgresDeadLetters:
    """Implements `StoredDeadLetters` and `UncopiedDeadLetters`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def products(
        self,
        projection: str | None,
        narrowed: Narrowed,
        limit: int,
        *,
        until: datetime | None = None,
        after: ListedDeadLetter | None = None,
    ) -> list[ListedDeadLetter]:
        place = (None, None) if after is None else (after.parked_at, after.product_id)
        rows = await self._rows("list_parked_products", projection, *narrowed, until, *place, limit)
        return [_of_product(row) for row in rows]

    async def alone(
        self,
        projection: str | None,
        narrowed: Narrowed,
        limit: int,
        *,
        until: datetime | None = None,
        after: ListedDeadLetter | None = None,
    ) -> list[ListedDeadLetter]:
        place = None if after is None else after.dead_letter_id
        rows = await self._rows("list_parked_alone", projection, *narrowed, until, place, limit)
        return [_of_record(row) for row in rows]

    async def count(self, projection: str | None, narrowed: Narrowed) -> Count:
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


def _of_product(row: dict[str, Any]) -> ListedDeadLetter:
    """A row of `list_parked_products.sql`."""
    renamed = {
        "dead_letter_id": row.pop("first_parked_event_id"),
        "stream_version": row.pop("first_stream_version"),
        "log_position": row.pop("first_log_position"),
        "offset": row.pop("record_offset"),
    }
    return ListedDeadLetter(**{**row, "product_id": UUID(int=row["product_id"].int)}, **renamed)


def _of_record(row: dict[str, Any]) -> ListedDeadLetter:
    """A row of `list_parked_alone.sql`."""
    return ListedDeadLetter(
        row["projection"], None, row["parked_event_id"], row["error_class"], row["cause"], 1, 1,
        row["parked_at"], row["parked_at"], row["topic"], row["partition"], row["record_offset"],
    )  # fmt: skip


def _uncopied(row: "asyncpg.Record") -> Uncopied:
    *fields, names, values, error_class, cause = row
    headers = tuple(zip(names, values, strict=True))
    return Uncopied._make([*fields, headers, error_class, cause])
