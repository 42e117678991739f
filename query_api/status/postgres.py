"""Reads the states of all projections from the tables that the projector writes beside its views."""

from collections.abc import Sequence

import asyncpg

from query_api.postgres.bounded_reads import fetch
from query_api.status.ports import ProjectionState
from shared.postgres.sql import load_sql


class PostgresProjectionStates:
    """Adapter of `ProjectionStates`. A lag report older than `seconds_max` does not count."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, topic: str, seconds_max: float) -> None:
        self._pool = pool
        self._topic = topic
        self._seconds_max = seconds_max

    async def states(self) -> Sequence[ProjectionState]:
        sql = load_sql("query_api.status", "select_projection_states")
        return [
            ProjectionState(*record)
            for record in await fetch(self._pool, sql, self._topic, self._seconds_max)
        ]
