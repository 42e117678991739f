"""A bulkhead in front of PostgreSQL: when Redis is unavailable, its readers must not overload the database.

At most `reads_max` statements run and `waiting_max` wait, for `wait_seconds_max`; others are refused at once.
"""

import asyncio
from typing import Any

import asyncpg

from query_api.errors import Overloaded, ReadModelUnavailable
from shared.ops.error_text import named
from shared.ops.metrics.reads import TABLE_READS_REFUSED, TABLE_READS_WAITING
from shared.ops.metrics.requests import TABLE_QUEUE
from shared.postgres.errors import is_unavailable
from shared.telemetry import conventions as c
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import span
from shared.telemetry.waits import wait

_READS = {c.DB_SYSTEM: c.POSTGRESQL}


class BoundedReads:
    """Runs statements on a pool. Raises `Overloaded` and `ReadModelUnavailable`; other errors are bugs.

    `name` is the one in metrics.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        *,
        name: str,
        reads_max: int,
        waiting_max: int,
        wait_seconds_max: float,
    ) -> None:
        self._pool = pool
        self._slots = asyncio.Semaphore(reads_max)
        self._waiting_max = waiting_max
        self._wait_seconds_max = wait_seconds_max
        self._waiting = 0
        self._refused = TABLE_READS_REFUSED.labels(name)
        TABLE_READS_WAITING.labels(name).set_function(lambda: self._waiting)

    async def fetch(self, sql: str, *parameters: Any) -> list[asyncpg.Record]:
        """All rows of a statement."""
        with span(c.READ_TABLE, SpanKind.CLIENT, _READS):
            return await self._fetch(sql, *parameters)

    async def _fetch(self, sql: str, *parameters: Any) -> list[asyncpg.Record]:
        if self._slots.locked() and self._waiting >= self._waiting_max:
            self._refused.inc()
            raise Overloaded(TABLE_QUEUE, "too many reads of the read model are waiting")
        self._waiting += 1
        try:
            with wait(c.WAIT_FOR_READS):
                async with asyncio.timeout(self._wait_seconds_max):
                    await self._slots.acquire()
        except TimeoutError as error:
            self._refused.inc()
            raise Overloaded(TABLE_QUEUE, "the read model is too slow for what is asked of it") from error
        finally:
            self._waiting -= 1
        try:
            return await fetch(self._pool, sql, *parameters)
        finally:
            self._slots.release()

    async def fetchrow(self, sql: str, *parameters: Any) -> asyncpg.Record | None:
        """The first row, or None."""
        rows = await self.fetch(sql, *parameters)
        return rows[0] if rows else None


async def fetch(pool: "asyncpg.Pool[asyncpg.Record]", sql: str, *parameters: Any) -> list[asyncpg.Record]:
    """All rows, without the bulkhead, for the one poller and for readiness. Raises `ReadModelUnavailable`."""
    try:
        rows: list[asyncpg.Record] = await pool.fetch(sql, *parameters)
    except Exception as error:
        if not is_unavailable(error):
            raise
        raise ReadModelUnavailable(named(error)) from error
    return rows
