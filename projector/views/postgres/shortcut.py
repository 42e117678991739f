"""An ordinary batch of a view in two exchanges: the products are read, and then one statement does everything
else (`at_once.sql`, with the view's own part).

Nothing is locked in between. Instead the statement compares every version that the batch was made from with
the row that it overwrites, and fails as a whole if one is different: then the batch takes its transaction.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic
from uuid import UUID

from projector.applying.batch import NOTHING
from projector.applying.ports import Change, Checkpoint, Held, S
from projector.postgres.failures import translated
from projector.views.postgres.statements import LIVE
from projector.views.postgres.tables import AtOnce, Tables
from shared.postgres.errors import is_permanent_data_error
from shared.postgres.sql import load_sql
from shared.telemetry import conventions as c
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import span

if TYPE_CHECKING:
    import asyncpg

_SERVER = "read model"
_PACKAGE = "projector.views.postgres"


class PostgresShortcut(Generic[S]):
    """Implements `Shortcut` for the live tables. `next_offsets` are the view's own, which it moves on."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        tables: Tables[S],
        at_once: Callable[[Sequence[Change[S]]], AtOnce | None],
        next_offsets: dict[int, int],
        *,
        projection: str,
        topic: str,
    ) -> None:
        self._pool = pool
        self._tables = tables
        self._at_once = at_once
        self._next_offsets = next_offsets
        self._source = (projection, topic)
        self._table_oids: Sequence[int] | None = None
        self._span_attributes = {c.DB_SYSTEM: c.POSTGRESQL, c.PROJECTION: projection}

    async def held(
        self, reached: Mapping[int, Checkpoint], product_ids: Collection[UUID]
    ) -> Mapping[UUID, Held[S]] | None:
        if not self._next_offsets.keys() >= reached.keys():
            return None
        with translated(_SERVER):
            async with self._pool.acquire() as connection:
                if self._table_oids is None:
                    # Before any row is read: else old rows could count as rows of the table after a switch.
                    names = [f"{LIVE}.{name}" for name in self._tables.names]
                    self._table_oids = await connection.fetchval(
                        load_sql(_PACKAGE, "select_table_oids"), names
                    )
                return await self._tables.held(connection, product_ids)

    async def save(
        self, reached: Mapping[int, Checkpoint], held: Mapping[UUID, Held[S]], changes: Sequence[Change[S]]
    ) -> bool:
        at_once = self._at_once(changes)
        if at_once is None:
            return False
        offsets = {
            partition: max(point.next_offset, self._next_offsets[partition])
            for partition, point in reached.items()
        }
        arguments = (
            *self._source,
            list(reached),
            [self._next_offsets[partition] for partition in reached],
            list(offsets.values()),
            [point.log_position for point in reached.values()],
            [point.log_id for point in reached.values()],
            self._table_oids,
            [held.get(change.product_id, NOTHING).stream_version for change in changes],
            *at_once.columns,
        )
        if not await self._execute(at_once.sql, arguments):
            self._table_oids = None
            return False
        self._next_offsets.update(offsets)
        return True

    async def _execute(self, sql: str, arguments: Sequence[Any]) -> bool:
        """False: it failed as a whole, by its own guard or for a value. The transaction will tell."""
        with span(c.WRITE, SpanKind.CLIENT, self._span_attributes), translated(_SERVER):
            try:
                await self._pool.execute(sql, *arguments)
            except Exception as error:
                if not is_permanent_data_error(error):
                    raise
                return False
        return True
