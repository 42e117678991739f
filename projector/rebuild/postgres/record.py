"""How far each rebuild is, stored beside the views, so that it can be shown, resumed and rolled back."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from projector.errors import RebuildLockLost
from projector.postgres.failures import translated
from projector.postgres.text import storable
from projector.rebuild.bulk_fold import Failed
from projector.rebuild.ports import Record
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

_SERVER = "read model"
_PACKAGE = "projector.rebuild.postgres"


class RebuildRecords:
    """The record of one projection. Methods that take a connection are part of its transaction.

    `owner_id` is from `rebuild_lock`; None: read-only.
    """

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", projection: str, owner_id: UUID | None = None
    ) -> None:
        self._pool = pool
        self._projection = projection
        self._owner_id = owner_id

    @asynccontextmanager
    async def owned(self, *, is_long: bool = False) -> AsyncIterator["Connection"]:
        """A transaction in which no other process can take the rebuild over. `is_long`: without a time limit.

        Raises `RebuildLockLost`, `Unavailable`.
        """
        with translated(_SERVER):
            async with self._pool.acquire() as connection, connection.transaction():
                # Workers wait for one another: each marks its slice in the same row, then loads it.
                await connection.execute(load_sql(_PACKAGE, "with_unbounded_lock_waits"))
                if is_long:
                    await connection.execute(load_sql(_PACKAGE, "without_time_limit"))
                await self._check_owner(connection)
                yield connection

    async def read(self) -> Record | None:
        """None: no rebuild is under way, and the last one is finished."""
        with translated(_SERVER):
            row = await self._pool.fetchrow(load_sql(_PACKAGE, "select_rebuild"), self._projection)
        return None if row is None else Record(*row)

    async def start(self, log_id: UUID, target: int, slices: int, made_by: str, generation: int) -> None:
        """Begin a new record, in place of the old one."""
        async with self.owned() as connection:
            await connection.execute(load_sql(_PACKAGE, "delete_rebuild_failures"), self._projection)
            await connection.execute(
                load_sql(_PACKAGE, "insert_rebuild"),
                self._projection, log_id, target, slices, made_by, generation,
            )  # fmt: skip

    async def move_to(self, phase: str, *, proof: str | None = None) -> None:
        """Move to another phase."""
        async with self.owned() as connection:
            await self.mark_phase(connection, phase, proof=proof)

    async def forget(self) -> None:
        """Delete the record."""
        async with self.owned() as connection:
            await connection.execute(load_sql(_PACKAGE, "delete_rebuild"), self._projection)

    async def failures(self) -> dict[UUID, Failed]:
        """Products whose history does not fold."""
        with translated(_SERVER):
            rows = await self._pool.fetch(load_sql(_PACKAGE, "select_rebuild_failures"), self._projection)
        return {UUID(int=row[0].int): Failed(*row[1:]) for row in map(tuple, rows)}

    async def next_offsets(self, topic: str) -> dict[int, int]:
        """The next offsets of the live view, by partition."""
        with translated(_SERVER):
            sql = load_sql(_PACKAGE, "read_checkpoints")
            rows = await self._pool.fetch(sql, self._projection, topic)
        return {row["partition"]: row["next_offset"] for row in rows}

    async def mark_slice(self, connection: "Connection", which: int, events: int) -> bool:
        """False if the slice was marked already."""
        sql = load_sql(_PACKAGE, "mark_rebuild_slice")
        status: str = await connection.execute(sql, self._projection, which, events)
        return status == "UPDATE 1"

    async def mark_position(self, connection: "Connection", position: int) -> None:
        await connection.execute(load_sql(_PACKAGE, "mark_rebuild_position"), self._projection, position)

    async def mark_phase(
        self,
        connection: "Connection",
        phase: str,
        *,
        proof: str | None = None,
        checkpoints: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        kept = None if checkpoints is None else json.dumps([dict(one) for one in checkpoints], default=str)
        await connection.execute(
            load_sql(_PACKAGE, "mark_rebuild_phase"), self._projection, phase, proof, kept
        )

    async def fail(self, connection: "Connection", failures: Mapping[UUID, Failed]) -> None:
        rows = list(failures.items())
        await connection.execute(
            load_sql(_PACKAGE, "insert_rebuild_failures"),
            self._projection,
            [product_id for product_id, _ in rows],
            [failed.stream_version for _, failed in rows],
            [failed.error_class for _, failed in rows],
            [storable(failed.cause) for _, failed in rows],
        )

    async def _check_owner(self, connection: "Connection") -> None:
        sql = load_sql(_PACKAGE, "check_rebuild_owner")
        if not await connection.fetchval(sql, self._projection, self._owner_id):
            raise RebuildLockLost(self._projection)
