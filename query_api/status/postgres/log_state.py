"""Reads how far the log and its relay are, on the connections of the past, outside its bulkhead."""

import asyncio

import asyncpg

from query_api.errors import EventLogUnavailable
from query_api.postgres.bounded_reads import fetch
from query_api.status.ports import LogState
from shared.postgres.sql import load_sql


class PostgresLogState:
    """Adapter of `LogStates`. Raises `EventLogUnavailable` after `seconds_max`: the status does not wait
    longer for a part of it.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, seconds_max: float) -> None:
        self._pool = pool
        self._seconds_max = seconds_max

    async def state(self) -> LogState:
        sql = load_sql("query_api.status.postgres", "select_log_state")
        try:
            async with asyncio.timeout(self._seconds_max):
                (record,) = await fetch(self._pool, sql, unavailable=EventLogUnavailable)
        except TimeoutError as error:
            raise EventLogUnavailable("the event log does not answer in time") from error
        return LogState(*record)
