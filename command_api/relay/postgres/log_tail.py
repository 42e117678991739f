"""The tail of the event log for the one relay that holds its lock, over a single direct connection.

Lock, reads and cursor share the connection on purpose: while a statement of ours succeeds, the lock is
ours, and when the connection is gone, so are all three. The cursor is moved without waiting for the disk
(synchronous_commit off): a crash of the server may set it back a little, which repeats records and
loses none, and appends keep the disk to themselves.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import asyncpg

from command_api.relay.ports import RelayReplaced
from command_api.relay.postgres.log_rows import (
    RELAY_NAME,
    read_log_id,
    read_relay_cursor,
    recorded,
    translated,
)
from shared.contract.recorded_event import RecordedEvent
from shared.postgres.pool import connect
from shared.postgres.sql import load_sql

_SQL = "command_api.relay.postgres"
_CLOSE_SECONDS_MAX = 1.0


class TailLimits(NamedTuple):
    """What one read may bring, and how long one statement may take (server side)."""

    events_max: int
    bytes_max: int
    statement_seconds_max: float


class RelayLag(NamedTuple):
    """Where the cursor stands, how many events lie after it, for how many seconds the oldest has waited."""

    log_position: int
    events: int
    seconds: float


class PostgresLogTail:
    """Adapter of `ports.LogTail`; made by `open`."""

    def __init__(
        self, connection: "asyncpg.Connection[asyncpg.Record]", log_id: bytes, limits: TailLimits
    ) -> None:
        self.log_id = log_id
        self._connection = connection
        self._limits = limits
        self._turn = asyncio.Lock()
        self._lost = asyncio.Event()
        connection.add_termination_listener(lambda _: self._lost.set())

    @classmethod
    async def open(cls, dsn: str, limits: TailLimits) -> "PostgresLogTail":
        """Connect as the writer role, not through a transaction pooler. Raises `LogUnavailable`."""
        with translated():
            connection = await connect(
                dsn,
                application_name="catalogue-relay",
                statement_timeout_seconds=limits.statement_seconds_max,
            )
            await connection.execute(load_sql("command_api.postgres", "set_asynchronous_commit"))
            await connection.execute(load_sql(_SQL, "create_relay_cursor"), RELAY_NAME)
            return cls(connection, await read_log_id(connection), limits)

    async def try_lock(self) -> bool:
        """A session lock: held until the connection ends, and the server frees it then by itself."""
        return bool(await self._fetchval("try_relay_lock"))

    async def read_cursor(self) -> int:
        async with self._session() as connection:
            return await read_relay_cursor(connection)

    async def read_after(self, log_position: int) -> Sequence[RecordedEvent]:
        """Position order is commit order, so nothing can appear behind what was read."""
        limits = self._limits
        async with self._session() as connection:
            rows = await connection.fetch(
                load_sql(_SQL, "read_log_tail"), log_position, limits.events_max, limits.bytes_max
            )
        return recorded(rows)

    async def move_cursor(self, old: int, new: int) -> None:
        if await self._fetchval("move_relay_cursor", RELAY_NAME, old, new) is None:
            raise RelayReplaced(f"the cursor is no longer at {old}: another relay has moved it")

    async def lost(self) -> None:
        await self._lost.wait()

    async def close(self) -> None:
        """With a goodbye to the server where it answers within a second."""
        with suppress(Exception):
            await self._connection.close(timeout=_CLOSE_SECONDS_MAX)

    async def _fetchval(self, name: str, *arguments: object) -> Any:
        async with self._session() as connection:
            return await connection.fetchval(load_sql(_SQL, name), *arguments)

    @asynccontextmanager
    async def _session(self) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
        """The connection, for one statement at a time."""
        async with self._turn:
            with translated():
                yield self._connection


async def read_lag(pool: "asyncpg.Pool[asyncpg.Record]") -> RelayLag:
    """Asked of the log itself, so a standby knows it too. Raises `LogUnavailable`."""
    with translated():
        row = await pool.fetchrow(load_sql(_SQL, "read_relay_lag"), RELAY_NAME)
    assert row is not None, "an aggregate answers one row"
    return RelayLag(*row)
