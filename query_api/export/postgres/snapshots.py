"""A snapshot is one REPEATABLE READ transaction; its documents come from one COPY.

COPY is the fastest way out of PostgreSQL, and asyncpg reads on only when the sink has taken a piece, so that
a slow client slows the server down and no memory fills. A cursor would either make a round trip for a few
documents, or hold as many in memory as one of its steps has.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import asyncpg

from query_api.applied import Applied
from query_api.errors import ReadModelBehind, ReadModelUnavailable
from query_api.export.ports import Sink, Snapshot
from query_api.postgres.bounded_reads import POSITIONS_SQL
from shared.ops.error_text import named
from shared.postgres.errors import ends_by_itself, is_unavailable
from shared.postgres.sql import load_sql

_SQL = "query_api.export.postgres"
_MILLISECONDS = 1000
# No JSON has these: control characters are escaped there. So each line of this CSV is a document as it is.
_DELIMITER, _QUOTE = "\x02", "\x01"


class PostgresSnapshots:
    """Adapter of `Snapshots`. `topic` and `partition_count` are those of the events that the view applies;
    `seconds_max` ends a COPY whose client has left without a trace. To begin a snapshot may take as long as a
    statement of the pool.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        *,
        topic: str,
        partition_count: int,
        seconds_max: float,
        projection: str = "product_view",
    ) -> None:
        self._pool = pool
        self._topic = topic
        self._partition_count = partition_count
        self._seconds_max = seconds_max
        self._projection = projection

    @asynccontextmanager
    async def open(
        self, statuses: tuple[str, ...], applied: Applied | None = None
    ) -> AsyncIterator[Snapshot]:
        """A snapshot until the end of the block. A lost connection of the pool is replaced once."""
        stack = AsyncExitStack()
        with _translated():
            try:
                snapshot = await self._begun(stack, statuses, applied)
            except Exception as error:
                if not ends_by_itself(error) or isinstance(error, TimeoutError):
                    raise
                snapshot = await self._begun(stack, statuses, applied)
        try:
            yield snapshot
        finally:
            with _translated():
                await stack.aclose()

    async def _begun(
        self, outer: AsyncExitStack, statuses: tuple[str, ...], applied: Applied | None
    ) -> Snapshot:
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(self._pool.acquire())
            await stack.enter_async_context(
                connection.transaction(isolation="repeatable_read", readonly=True)
            )
            milliseconds = str(int(self._seconds_max * _MILLISECONDS))
            await connection.execute(load_sql(_SQL, "begin_export"), milliseconds)
            if applied is not None and applied.positions:
                records = await connection.fetch(POSITIONS_SQL, applied.projection, applied.topic)
                if not applied.is_met_by(dict(map(tuple, records))):
                    raise ReadModelBehind("this server has not applied the write that the token stands for")
            found = await connection.fetchrow(
                load_sql(_SQL, "describe_export"),
                self._projection,
                self._topic,
                self._partition_count,
                statuses,
                timeout=self._seconds_max,
            )
            assert found is not None
            outer.push_async_exit(stack.pop_all())
            return _PostgresSnapshot(connection, statuses, self._seconds_max, *found)


class _PostgresSnapshot:
    def __init__(
        self,
        connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]",
        statuses: tuple[str, ...],
        seconds_max: float,
        log_position: int,
        product_count: int,
    ) -> None:
        self._connection = connection
        self._statuses = statuses
        self._seconds_max = seconds_max
        self.log_position = log_position
        self.product_count = product_count

    async def send_documents(self, sink: Sink) -> None:
        lines = _WholeLines(sink)
        with _translated():
            await self._connection.copy_from_query(
                load_sql(_SQL, "export_documents"),
                self._statuses,
                output=lines.take,
                timeout=self._seconds_max,
                format="csv",
                delimiter=_DELIMITER,
                quote=_QUOTE,
            )
        assert not lines.rest, "COPY ends each row with a newline"


class _WholeLines:
    """PostgreSQL sends a row in one message, but its protocol does not promise that."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.rest = b""

    async def take(self, data: bytes) -> None:
        if not self.rest and data.endswith(b"\n"):
            # Nearly always; pieces may be large, and need no copy.
            await self._sink(data)
            return
        lines, newline, rest = data.rpartition(b"\n")
        if newline:
            lines, self.rest = self.rest + lines + newline, rest
            await self._sink(lines)
        else:
            self.rest += rest


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not is_unavailable(error):
            raise
        raise ReadModelUnavailable(named(error)) from error
