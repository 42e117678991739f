"""The record of a rebuild in another store: kept in PostgreSQL, after the step was done there."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Generic
from uuid import UUID

from projector.applying.ports import Held, S
from projector.rebuild.bulk_fold import Failed
from projector.rebuild.ports import SWITCHED, Holder
from projector.rebuild.postgres.record import RebuildRecords
from projector.rebuild.postgres.shadow_parking import ParkedAnew
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg

_START_ANEW = load_sql("projector.control", "start_anew")


class PostgresCacheRecords(RebuildRecords, Generic[S]):
    """Implements `CacheRecords`."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        projection: str,
        parked: ParkedAnew[S],
        owner_id: UUID | None = None,
    ) -> None:
        super().__init__(pool, projection, owner_id)
        self._parked = parked

    async def slice_loaded(self, which: int, events: int, failures: Mapping[UUID, Failed]) -> None:
        async with self.owned() as connection:
            await self.mark_slice(connection, which, events)
            if failures:
                await self.fail(connection, failures)

    async def applied(self, reached: int | None, failures: Mapping[UUID, Failed]) -> None:
        async with self.owned() as connection:
            if failures:
                await self.fail(connection, failures)
            if reached is not None:
                await self.mark_position(connection, reached)

    async def replaces(self, phase: str, checkpoints: Sequence[Mapping[str, int]]) -> None:
        async with self.owned() as connection:
            await self.mark_phase(connection, phase, checkpoints=checkpoints)

    async def switched(
        self, live: Holder[S], *, begins_anew: str | None = None, is_of_other_log: bool = False
    ) -> None:
        failures = await self.failures()
        async with self.owned() as connection:
            if is_of_other_log:
                sql = load_sql("projector.rebuild.postgres", "delete_dead_letters_of_other_log")
                await connection.execute(sql, self._projection)
            await self._parked.settle(connection, failures, _FromElsewhere(live))
            await self.mark_phase(connection, SWITCHED)
            if begins_anew is not None:
                await connection.execute(_START_ANEW, self._projection, begins_anew)

    async def begin_anew(self, reason: str) -> None:
        async with self.owned() as connection:
            await connection.execute(_START_ANEW, self._projection, reason)


class _FromElsewhere(Generic[S]):
    """A view in another store, in the form that `ParkedAnew` needs."""

    def __init__(self, live: Holder[S]) -> None:
        self._live = live

    async def held(self, _: object, product_ids: Collection[UUID]) -> Mapping[UUID, Held[S]]:
        return await self._live.held(product_ids)
