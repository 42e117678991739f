"""Compares a view in PostgreSQL with the rows that it should have, in temporary tables like its own.

It is one transaction with one snapshot: rows, checkpoints and parked products fit each other, and
PostgreSQL compares whole rows, with nothing left out.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Generic
from uuid import UUID

from projector.applying.ports import Change, S
from projector.postgres.failures import translated
from projector.rebuild.difference import VERIFIED
from projector.rebuild.postgres.rows import row_difference
from projector.rebuild.verify_ports import Standing
from projector.views.postgres.statements import LIVE
from projector.views.postgres.tables import Tables
from shared.contract.addresses import partition_of
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

EXPECTED = "pg_temp"
_SERVER = "read model"
_PACKAGE = "projector.rebuild.postgres"
_LONG_SECONDS = 86_400.0


@asynccontextmanager
async def postgres_view_check(
    pool: "asyncpg.Pool[asyncpg.Record]",
    tables: Callable[[str], Tables[S]],
    projection: str,
    topic: str,
    partition_count: int,
) -> AsyncIterator["PostgresViewCheck[S]"]:
    """Reads one snapshot in this block, while the view may change. Raises `Unavailable`."""
    with translated(_SERVER):
        async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            await connection.execute(load_sql(_PACKAGE, "without_time_limit"))
            await connection.fetchval(load_sql(_PACKAGE, "make_expected"), projection)
            rows = await connection.fetch(load_sql(_PACKAGE, "read_checkpoints"), projection, topic)
            reached = {row["partition"]: row["log_position"] for row in rows}
            parked = await connection.fetch(load_sql(_PACKAGE, "select_parked_product_ids"), projection)
            yield PostgresViewCheck(
                connection,
                projection,
                tables(LIVE),
                tables(EXPECTED),
                lambda product_id: reached.get(partition_of(product_id, partition_count), 0),
                {row["product_id"] for row in parked},
                log_position=max(reached.values(), default=0),
            )


class PostgresViewCheck(Generic[S]):
    """Implements `ViewCheck`."""

    def __init__(
        self,
        connection: "Connection",
        projection: str,
        live: Tables[S],
        expected: Tables[S],
        position_due: Callable[[UUID], int],
        parked: Collection[UUID],
        *,
        log_position: int,
    ) -> None:
        self.log_position = log_position
        self._connection = connection
        self._projection = projection
        self._live = live
        self._expected = expected
        self._position_due = position_due
        self._parked = parked

    async def standing(self, product_ids: Collection[UUID]) -> Mapping[UUID, Standing]:
        held = await self._live.held(self._connection, product_ids)
        return {
            one: Standing(
                held[one].stream_version if one in held else 0, self._position_due(one), one in self._parked
            )
            for one in product_ids
        }

    async def unexpected(self, product_ids: Collection[UUID], changes: Sequence[Change[S]]) -> list[str]:
        await self._expected.load(self._connection, changes)
        return await self._select_unexpected(list(product_ids))

    async def unexpected_shared(self) -> list[str]:
        return await self._select_unexpected(None)

    async def _select_unexpected(self, product_ids: list[UUID] | None) -> list[str]:
        sql = load_sql(_PACKAGE, "select_unexpected")
        rows = await self._connection.fetch(sql, self._projection, product_ids, timeout=_LONG_SECONDS)
        return [row_difference(row, row["expected"], VERIFIED) for row in rows]
