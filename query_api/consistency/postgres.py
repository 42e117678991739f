"""Reads the checkpoints that a projection writes beside its view."""

from collections.abc import Mapping

import asyncpg

from query_api.applied import Applied
from query_api.postgres.bounded_reads import POSITIONS_SQL, fetch


class PostgresCheckpoints:
    """Adapter of `Checkpoints`. It is not behind the bulkhead: one poller reads it, and all readers wait for
    it.
    """

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", topic: str, *, projection: str = "product_view"
    ) -> None:
        self._pool = pool
        self._topic = topic
        self._projection = projection

    async def positions(self) -> Mapping[int, int]:
        records = await fetch(self._pool, POSITIONS_SQL, self._projection, self._topic)
        return {record["partition"]: record["log_position"] for record in records}

    def applied(self, positions: Mapping[int, int]) -> Applied:
        return Applied(self._projection, self._topic, positions)
