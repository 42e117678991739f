"""A bulkhead in front of PostgreSQL: when Redis is unavailable, its readers must not overload the database.

At most `reads_max` statements run and `waiting_max` wait, for `wait_seconds_max`; others are refused at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any

import asyncpg

from query_api.applied import Applied
from query_api.errors import Overloaded, ReadModelBehind, ReadModelUnavailable, Unavailable
from shared.ops.error_text import named
from shared.ops.metrics.reads import TABLE_READS, TABLE_READS_REFUSED, TABLE_READS_WAITING
from shared.ops.metrics.requests import TABLE_QUEUE
from shared.postgres.errors import ends_by_itself, is_unavailable
from shared.postgres.pooler_settings import Pooler
from shared.postgres.sql import load_sql
from shared.telemetry import conventions as c
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import span
from shared.telemetry.waits import wait

POSITIONS_SQL = load_sql("query_api.postgres", "select_positions")
_READS = {c.DB_SYSTEM: c.POSTGRESQL}
Rows = list[asyncpg.Record]


class BoundedReads:
    """Runs statements on a pool. Raises `Overloaded` and `unavailable`; other errors are bugs.

    `name` is the one in metrics, `server` the one in texts.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        *,
        name: str,
        reads_max: int,
        waiting_max: int,
        wait_seconds_max: float,
        pooler: Pooler = "none",
        server: str = "read model",
        unavailable: type[Unavailable] = ReadModelUnavailable,
    ) -> None:
        self._pool = pool
        self._server = server
        self._unavailable = unavailable
        # A connection is one server. Behind a pooler a transaction is, and costs two round trips more.
        self._keeps_server = pooler == "none"
        self._slots = asyncio.Semaphore(reads_max)
        self._waiting_max = waiting_max
        self._wait_seconds_max = wait_seconds_max
        self._waiting = 0
        self._asked = TABLE_READS.labels(name)
        self._refused = TABLE_READS_REFUSED.labels(name)
        TABLE_READS_WAITING.labels(name).set_function(lambda: self._waiting)

    async def fetch(self, sql: str, *parameters: Any, applied: Applied | None = None) -> Rows:
        """All rows of a statement. Raises `ReadModelBehind` if the server that answers has not applied it."""
        with span(c.READ_TABLE, SpanKind.CLIENT, _READS):
            if applied is None or not applied.positions:
                return await self._in_turn(lambda: self._pool.fetch(sql, *parameters))
            return await self._in_turn(lambda: self._after(applied, sql, *parameters))

    async def _after(self, applied: Applied, sql: str, *parameters: Any) -> Rows:
        """First the positions, then the rows: on one server they are at least as new."""
        async with (
            self._pool.acquire() as connection,
            nullcontext() if self._keeps_server else connection.transaction(readonly=True),
        ):
            records = await connection.fetch(POSITIONS_SQL, applied.projection, applied.topic)
            if not applied.is_met_by(dict(map(tuple, records))):
                raise ReadModelBehind("this server has not applied the write that the token stands for")
            return await connection.fetch(sql, *parameters)

    async def _in_turn(self, read: Callable[[], Awaitable[Rows]]) -> Rows:
        if self._slots.locked():
            await self._wait()
        else:
            await self._slots.acquire()
        try:
            self._asked.inc()
            return await _twice(read, self._unavailable)
        finally:
            self._slots.release()

    async def _wait(self) -> None:
        """For a slot."""
        if self._waiting >= self._waiting_max:
            self._refused.inc()
            raise Overloaded(TABLE_QUEUE, f"too many reads of the {self._server} are waiting")
        self._waiting += 1
        try:
            with wait(c.WAIT_FOR_READS):
                async with asyncio.timeout(self._wait_seconds_max):
                    await self._slots.acquire()
        except TimeoutError as error:
            self._refused.inc()
            text = f"the {self._server} is too slow for what is asked of it"
            raise Overloaded(TABLE_QUEUE, text) from error
        finally:
            self._waiting -= 1

    async def fetchrow(
        self, sql: str, *parameters: Any, applied: Applied | None = None
    ) -> asyncpg.Record | None:
        """The first row, or None."""
        rows = await self.fetch(sql, *parameters, applied=applied)
        return rows[0] if rows else None


async def fetch(
    pool: "asyncpg.Pool[asyncpg.Record]",
    sql: str,
    *parameters: Any,
    unavailable: type[Unavailable] = ReadModelUnavailable,
) -> Rows:
    """All rows, without the bulkhead, for the one poller, for the status and for readiness."""
    return await _twice(lambda: pool.fetch(sql, *parameters), unavailable)


async def _twice(read: Callable[[], Awaitable[Rows]], unavailable: type[Unavailable]) -> Rows:
    """Read again after a lost connection, or after a replica has preferred the log to the reader: another
    connection, maybe to another host, can answer. A server that does not answer in time is not asked again.
    """
    try:
        try:
            return await read()
        except Exception as error:
            if not ends_by_itself(error) or isinstance(error, TimeoutError):
                raise
        return await read()
    except Exception as error:
        if not is_unavailable(error):
            raise
        raise unavailable(named(error)) from error
