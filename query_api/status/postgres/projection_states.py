"""Reads the states of all projections from the tables that the projector writes beside its views."""

import math
from collections.abc import Sequence

import asyncpg

from query_api.postgres.bounded_reads import fetch
from query_api.status.ports import ProjectionState, RebuildState
from shared.ops.measuring import Measurement, unknown
from shared.ops.metrics.reads import READ_MODEL_AGE_SECONDS
from shared.postgres.sql import load_sql

_SQL = "query_api.status.postgres"
_AGE_SECONDS, _AGE_SECONDS_MAX = 5.0, 5.0


class PostgresProjectionStates:
    """Adapter of `ProjectionStates`. A lag report older than `seconds_max` does not count."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, topic: str, seconds_max: float) -> None:
        self._pool = pool
        self._topic = topic
        self._seconds_max = seconds_max

    async def states(self) -> Sequence[ProjectionState]:
        sql = load_sql(_SQL, "select_projection_states")
        return [
            ProjectionState(*record)
            for record in await fetch(self._pool, sql, self._topic, self._seconds_max)
        ]

    async def rebuilds(self) -> Sequence[RebuildState]:
        records = await fetch(self._pool, load_sql(_SQL, "select_rebuilds"))
        return [RebuildState(*record) for record in records]


def age_measurement(pool: "asyncpg.Pool[asyncpg.Record]") -> Measurement:
    """How late the server is that answers readers: a replica shows all some time after its primary. NaN where
    no projector has ever reported.
    """
    sql = load_sql(_SQL, "select_age")

    async def take() -> None:
        age_seconds = await pool.fetchval(sql)
        READ_MODEL_AGE_SECONDS.set(math.nan if age_seconds is None else max(0.0, age_seconds))

    def forget() -> None:
        unknown([READ_MODEL_AGE_SECONDS])

    return Measurement("age of read model", take, _AGE_SECONDS, _AGE_SECONDS_MAX, forget)
