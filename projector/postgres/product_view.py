"""The product table: one transaction a batch, checkpoints first, rows guarded by their versions.

The checkpoint's compare-and-set is the fence: Kafka does not stop a deposed consumer from writing, this does.
Source: reference/messaging.md 7.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg

from projector.ports import Change, Checkpoint, Fenced, Held
from projector.postgres import product_rows
from projector.postgres.failures import translated
from shared.contract.views import decode_document
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

_SERVER = "read model"
_PACKAGE = "projector.postgres"


class PostgresProductView:
    """`product_view` and its checkpoints, for one consumer. Not for concurrent batches."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, projection: str, topic: str) -> None:
        self._pool = pool
        self._projection = projection
        self._topic = topic
        self._next_offsets: dict[int, int] = {}

    async def load(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        """The stored checkpoints; a partition without one starts anew with the next batch."""
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
    async def begin(self, reached: Mapping[int, Checkpoint]) -> AsyncIterator["_Batch"]:
        """The transaction of one batch: committed when the block ends well, else rolled back."""
        with translated(_SERVER):
            async with self._pool.acquire() as connection, connection.transaction():
                offsets = await self._move(connection, reached)
                yield _Batch(connection)
        self._next_offsets.update(offsets)

    async def _move(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", reached: Mapping[int, Checkpoint]
    ) -> dict[int, int]:
        """Compare and set; answers the new next offsets. A checkpoint never moves back."""
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
            raise Fenced(f"{elsewhere} of {self._projection} are not where they were")
        return offsets


class _Batch:
    """`BatchWriter` over an open transaction."""

    def __init__(self, connection: "PoolConnectionProxy[asyncpg.Record]") -> None:
        self._connection = connection

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held]:
        rows = await self._connection.fetch(load_sql(_PACKAGE, "select_held"), list(product_ids))
        return {row["product_id"]: _held(row["stream_version"], row["document"]) for row in rows}

    async def save(self, changes: Sequence[Change]) -> None:
        """Set-wise; variants are touched only where one came, went, or has another price."""
        if not changes:
            return
        # No unneeded round trip: an empty set of columns is skipped.
        for name, columns in (
            ("upsert_products", product_rows.product_columns(changes)),
            ("delete_variants", product_rows.gone_variant_columns(changes)),
            ("upsert_variants", product_rows.written_variant_columns(changes)),
        ):
            if columns[0]:
                await self._connection.execute(load_sql(_PACKAGE, name), *columns)


def _held(stream_version: int, document: bytes | None) -> Held:
    return Held(stream_version, decode_document(document) if document is not None else None)
