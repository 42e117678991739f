"""How far the projections are, as they wrote it beside their views."""

from collections.abc import Mapping, Sequence

import asyncpg

from query_api.ports import ProjectionState
from query_api.postgres.bounded_reads import fetch
from shared.postgres.sql import load_sql

_SQL = "query_api.postgres"


class PostgresCheckpoints:
    """The port `Checkpoints`. Not behind the bulkhead: it is one poller, and waiting readers depend on it."""

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", *, topic: str, projection: str = "product_view"
    ) -> None:
        self._pool = pool
        self._topic = topic
        self._projection = projection

    async def positions(self) -> Mapping[int, int]:
        records = await fetch(self._pool, load_sql(_SQL, "select_positions"), self._projection, self._topic)
        return {record["partition"]: record["log_position"] for record in records}


class PostgresProjectionStates:
    """The port `ProjectionStates`. A measurement older than `seconds_max` says nothing of now."""

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
