"""Operators' pauses, resumes and orders, and the state that projections report, in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from projector.applying.dead_letters import Action
from projector.applying.ports import Checkpoint, EventLog
from projector.audit.postgres import record_action
from projector.control.ports import WAITS_FOR_KAFKA, Control, LagReport, LastReport, ParkedCount
from projector.postgres.failures import translated
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg

_SERVER = "read model"
_PACKAGE = "projector.control"


class PostgresControl:
    """Implements `ControlBoard`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def wanted(self) -> Mapping[str, Control]:
        with translated(_SERVER):
            rows = await self._pool.fetch(load_sql(_PACKAGE, "select_projection_controls"))
        return {row["projection"]: Control(row["is_paused"], row["revision"], row["reason"]) for row in rows}

    async def set(self, projection: str, action: Action, *, is_paused: bool) -> None:
        with translated(_SERVER):
            async with self._pool.acquire() as connection, connection.transaction():
                sql = load_sql(_PACKAGE, "set_projection_control")
                await connection.execute(sql, projection, is_paused, action.reason)
                await record_action(connection, action, projection, None, "")

    async def tell(self, reports: Sequence[LagReport]) -> None:
        rows = [(one.projection, one.topic, *lag) for one in reports for lag in one.lags]
        if not rows:
            return
        with translated(_SERVER):
            sql = load_sql(_PACKAGE, "upsert_projection_lags")
            await self._pool.execute(sql, *zip(*rows, strict=True))

    async def last_reports(
        self, projection: str, topic: str, *, seconds_max: float
    ) -> Mapping[int, LastReport]:
        with translated(_SERVER):
            sql = load_sql(_PACKAGE, "select_last_reports")
            rows = await self._pool.fetch(sql, projection, topic, seconds_max, WAITS_FOR_KAFKA)
        return {row[0]: LastReport(*row[1:]) for row in map(tuple, rows)}

    async def counts(self) -> Mapping[str, ParkedCount]:
        with translated(_SERVER):
            rows = await self._pool.fetch(load_sql(_PACKAGE, "count_parked"))
        return {row[0]: ParkedCount(*row[1:]) for row in map(tuple, rows)}


class PostgresPlaceOrders:
    """Implements `PlaceOrders`."""

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", log: EventLog, *, projection: str, topic: str
    ) -> None:
        self._pool = pool
        self._log = log
        self._where = (projection, topic)

    async def given(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        with translated(_SERVER):
            sql = load_sql(_PACKAGE, "select_starting_places")
            rows = await self._pool.fetch(sql, *self._where, list(partitions))
        return {
            row["partition"]: Checkpoint(row["next_offset"], row["log_position"], UUID(int=row["log_id"].int))
            for row in rows
        }

    async def taken(self, places: Mapping[int, Checkpoint]) -> None:
        with translated(_SERVER):
            sql = load_sql(_PACKAGE, "delete_starting_places")
            offsets = [place.next_offset for place in places.values()]
            await self._pool.execute(sql, *self._where, list(places), offsets)

    async def reported(self) -> Mapping[int, int]:
        log_id = await self._log.log_id()
        with translated(_SERVER):
            sql = load_sql(_PACKAGE, "select_reported_positions")
            return dict(map(tuple, await self._pool.fetch(sql, *self._where, log_id)))
