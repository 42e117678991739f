"""Reads the tail of the event log for the relay that holds the lock, over a single direct connection.

Lock, reads and cursor share the connection on purpose: while our statements succeed, we hold the lock, and if
the connection is lost, all three are. The cursor is moved without waiting for the disk (synchronous_commit
off): a crash of the server may set it back a little, which repeats records and loses none, and appends do not
share the disk with it.
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
    refuse_removed,
    translated,
)
from shared.contract.recorded_event import RecordedEvent
from shared.ops.secret import Secret
from shared.postgres.pool import connect
from shared.postgres.sql import load_sql

_SQL = "command_api.relay.postgres"
RELAY_APPLICATION_NAME = "catalogue-relay"
"""Of the one session that holds the lock."""
_CLOSE_SECONDS_MAX = 1.0


class TailLimits(NamedTuple):
    """How much one read may return, and how long one statement may take (enforced by the server)."""

    events_max: int
    bytes_max: int
    statement_seconds_max: float


class RelayLag(NamedTuple):
    """The cursor, the number of events after it, and how many seconds the oldest of them has waited."""

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
    async def open(cls, dsn: Secret | str, limits: TailLimits) -> "PostgresLogTail":
        """Connect as the writer role, not through a transaction pooler. Raises `LogUnavailable`."""
        with translated():
            connection = await connect(
                dsn,
                application_name=RELAY_APPLICATION_NAME,
                statement_timeout_seconds=limits.statement_seconds_max,
            )
            await connection.execute(load_sql("command_api.postgres", "set_asynchronous_commit"))
            await connection.execute(load_sql(_SQL, "create_relay_cursor"), RELAY_NAME)
            return cls(connection, await read_log_id(connection), limits)

    async def try_lock(self) -> bool:
        """Take a session lock: it is held until the connection ends; then the server frees it by itself."""
        return bool(await self._fetchval("try_relay_lock"))

    async def read_cursor(self) -> int:
        async with self._session() as connection:
            return await read_relay_cursor(connection)

    async def read_after(self, log_position: int) -> Sequence[RecordedEvent]:
        """Position order is commit order, so no event can appear before those that were read."""
        limits = self._limits
        async with self._session() as connection:
            rows = await connection.fetch(
                load_sql(_SQL, "read_log_tail"), log_position, limits.events_max, limits.bytes_max
            )
            # Appends leave no gap, so only a gap can be a removed partition.
            if rows and rows[-1]["position"] - log_position != len(rows):
                await refuse_removed(connection, log_position, rows[-1]["position"])
        return recorded(rows)

    async def move_cursor(self, old: int, new: int) -> None:
        if await self._fetchval("move_relay_cursor", RELAY_NAME, old, new) is None:
            raise RelayReplaced(f"the cursor is no longer at {old}: another relay has moved it")

    async def lost(self) -> None:
        await self._lost.wait()

    async def close(self) -> None:
        """Tells the server, if it answers within a second."""
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
    """Read from the log itself, so a standby knows it too. Raises `LogUnavailable`."""
    with translated():
        row = await pool.fetchrow(load_sql(_SQL, "read_relay_lag"), RELAY_NAME)
    assert row is not None, "an aggregate returns one row"
    return RelayLag(*row)
