"""Takes the relay's place: while this session holds the lock, no relay publishes.

A relay that is active is ended by its session; it notices, gives up what is not confirmed, and waits for the
lock like any other. So nothing that was read at the old cursor reaches a topic that is made anew.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import asyncpg

from command_api.relay.ports import LogUnavailable
from command_api.relay.postgres.log_rows import (
    RELAY_NAME,
    read_log_id,
    read_relay_cursor,
    recorded,
    refuse_removed,
    translated,
)
from command_api.relay.postgres.log_tail import RELAY_APPLICATION_NAME
from shared.contract.recorded_event import RecordedEvent
from shared.ops.secret import Secret
from shared.postgres.pool import connect
from shared.postgres.sql import load_sql

_SQL = "command_api.remake.postgres"
_RELAY_SQL = "command_api.relay.postgres"
_CLOSE_SECONDS_MAX = 1.0
# A standby asks for the lock about once a second.
_LOOK_SECONDS = 0.02
_BEGINNING_EVENTS_MAX, _BEGINNING_BYTES_MAX = 2_000, 8 * 1024 * 1024


class RelayPlace:
    """One session with the event store, as the writer role."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", log_id: bytes) -> None:
        self.log_id = log_id
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: Secret | str, *, statement_seconds_max: float) -> AsyncIterator["RelayPlace"]:
        """Raises `LogUnavailable`."""
        with translated():
            connection = await connect(
                dsn,
                application_name="catalogue-remake-topics",
                statement_timeout_seconds=statement_seconds_max,
            )
        try:
            with translated():
                log_id = await read_log_id(connection)
            yield cls(connection, log_id)
        finally:
            with suppress(Exception):
                await connection.close(timeout=_CLOSE_SECONDS_MAX)

    async def take(self, seconds_max: float) -> None:
        """Until the session ends no relay publishes. Raises `LogUnavailable`, also if it takes too long."""
        deadline = time.monotonic() + seconds_max
        with translated():
            while True:
                await self._connection.fetchval(load_sql(_SQL, "end_relay_sessions"), RELAY_APPLICATION_NAME)
                if await self._connection.fetchval(load_sql(_RELAY_SQL, "try_relay_lock")):
                    return
                if time.monotonic() > deadline:
                    raise LogUnavailable(f"another session has kept the relay's lock for {seconds_max:g} s")
                await asyncio.sleep(_LOOK_SECONDS)

    async def newest_position(self) -> int:
        """The position of the newest event, 0 for an empty log."""
        with translated():
            return int(await self._connection.fetchval(load_sql(_SQL, "read_newest_log_position")))

    async def refuse_removed(self) -> None:
        """Raises `OperatorNeeded` if a part of the log is archived and removed: the topics would lack it."""
        newest = await self.newest_position()
        with translated():
            await refuse_removed(self._connection, 0, newest)

    async def cursor(self) -> int:
        """The position up to which Kafka had confirmed all events."""
        with translated():
            return await read_relay_cursor(self._connection)

    async def beginning(self) -> Sequence[RecordedEvent]:
        """The first events of the log."""
        with translated():
            rows = await self._connection.fetch(
                load_sql(_RELAY_SQL, "read_log_tail"), 0, _BEGINNING_EVENTS_MAX, _BEGINNING_BYTES_MAX
            )
        return recorded(rows)

    async def set_back(self) -> None:
        """The relay begins with the first event. Only while the place is taken."""
        with translated():
            await self._connection.execute(load_sql(_SQL, "set_relay_cursor_back"), RELAY_NAME)
