"""A view in PostgreSQL: one transaction a batch, checkpoints first, rows guarded by their versions.

The checkpoint's compare-and-set is the fence: Kafka does not stop a replaced consumer from writing; this
does. More in docs/library-facts.md. What differs between views is their tables (`tables.py`).
An ordinary batch takes a shortcut (`shortcut.py`).
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Generic
from uuid import UUID

from projector.applying.ports import Change, Checkpoint, Held, S
from projector.errors import Fenced
from projector.parking.postgres.parking import DEFAULT_LIMITS, ParkingLimits, PostgresParking
from projector.postgres.failures import translated
from projector.views.postgres.shortcut import PostgresShortcut
from projector.views.postgres.tables import Tables
from shared.postgres.sql import load_sql
from shared.telemetry import conventions as c
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import span

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

_SERVER = "read model"
_PACKAGE = "projector.views.postgres"


class PostgresView(Generic[S]):
    """`View` over tables and their checkpoints, for one consumer. Not for concurrent batches."""

    forgets = False

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        tables: Tables[S],
        *,
        projection: str,
        topic: str,
        limits: ParkingLimits = DEFAULT_LIMITS,
    ) -> None:
        self._pool = pool
        self._tables = tables
        self._projection = projection
        self._topic = topic
        self._limits = limits
        self._next_offsets: dict[int, int] = {}
        self._span_attributes = {c.DB_SYSTEM: c.POSTGRESQL, c.PROJECTION: projection}
        self.shortcut: PostgresShortcut[S] | None = None
        if tables.at_once is not None:
            self.shortcut = PostgresShortcut(
                pool, tables, tables.at_once, self._next_offsets, projection=projection, topic=topic
            )

    async def checkpoints(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        """The stored checkpoints; a partition without one gets its first with the next batch."""
        with translated(_SERVER):
            sql = load_sql(_PACKAGE, "load_checkpoints")
            rows = await self._pool.fetch(sql, self._projection, self._topic, list(partitions))
        found = {
            row["partition"]: Checkpoint(row["next_offset"], row["log_position"], UUID(int=row["log_id"].int))
            for row in rows
        }
        for partition in partitions:
            self._next_offsets.pop(partition, None)
        self._next_offsets.update({partition: point.next_offset for partition, point in found.items()})
        return found

    @asynccontextmanager
    async def begin(self, reached: Mapping[int, Checkpoint]) -> AsyncIterator["_Batch[S]"]:
        """The transaction of one batch: committed if the block ends without an error, else rolled back."""
        with span(c.WRITE, SpanKind.CLIENT, self._span_attributes), translated(_SERVER):
            async with self._pool.acquire() as connection, connection.transaction():
                offsets = await self._move(connection, reached)
                yield _Batch(connection, self._tables, self._projection, self._limits)
        self._next_offsets.update(offsets)

    async def _move(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", reached: Mapping[int, Checkpoint]
    ) -> dict[int, int]:
        """Compare and set; returns the new next offsets. A checkpoint never moves back."""
        expected = [self._next_offsets.get(partition) for partition in reached]
        offsets = {
            partition: max(point.next_offset, self._next_offsets.get(partition, 0))
            for partition, point in reached.items()
        }
        moved = await connection.fetchval(
            load_sql(_PACKAGE, "move_checkpoints"),
            self._projection,
            self._topic,
            list(reached),
            expected,
            list(offsets.values()),
            [point.log_position for point in reached.values()],
            [point.log_id for point in reached.values()],
        )
        if moved != len(reached):
            elsewhere = f"{len(reached) - moved} of {len(reached)} checkpoints"
            raise Fenced(f"{elsewhere} of {self._projection} were moved by another process")
        return offsets


class _Batch(PostgresParking, Generic[S]):
    """`BatchWriter` over an open transaction."""

    def __init__(
        self,
        connection: "PoolConnectionProxy[asyncpg.Record]",
        tables: Tables[S],
        projection: str,
        limits: ParkingLimits,
    ) -> None:
        super().__init__(connection, projection, limits)
        self._tables = tables

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[S]]:
        return await self._tables.held(self._connection, product_ids) if product_ids else {}

    async def save(self, changes: Sequence[Change[S]]) -> None:
        if changes:
            await self._tables.save(self._connection, changes)
