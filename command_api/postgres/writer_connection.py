"""The one connection that appends, and how the outcome is found if it breaks during a call.

Never through a pooler: a call that is lost can be ended only by the process id of its session, and a pooler
would give the next call another session.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from command_api.executing.ports import Append, Appended, OutcomeUnknown
from shared.contract.recorded_event import EventMetadata
from shared.ops.logs import get_logger
from shared.ops.secret import Secret
from shared.postgres.pool import connect
from shared.postgres.sql import load_sql

_log = get_logger(__name__)
_BACKEND_SQL = load_sql("command_api.postgres", "backend_identity")
_END_BACKEND_SQL = load_sql("command_api.postgres", "end_backend")
_TAKE_LOCK_SQL = load_sql("command_api.postgres", "take_append_lock")
_WAITS_SQL = load_sql("command_api.postgres", "what_append_waits_for")
_FIND_SQL = load_sql("command_api.postgres", "find_appended")
_PAUSE_SECONDS = 0.05
LOOK_SECONDS_MAX = 1.0
"""A later answer would be of no use: it is only asked while the call lasts."""
CONNECTION_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""asyncpg's errors; the last one: the server has ended the session, and asyncpg has not noticed it yet."""
_metadata = msgspec.json.Decoder(EventMetadata)


class WriterConnection:
    """Connects when first needed, and again after a loss; remembers its server process so that it can end
    it.
    """

    def __init__(
        self,
        dsn: Secret | str,
        *,
        connect_timeout_seconds: float,
        call_timeout_seconds: float,
        recovery_seconds_max: float,
    ) -> None:
        self._dsn = dsn
        self._connect_timeout_seconds = connect_timeout_seconds
        self._call_timeout_seconds = call_timeout_seconds
        self._recovery_seconds_max = recovery_seconds_max
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._backend: tuple[int, datetime] | None = None

    async def get(self) -> "asyncpg.Connection[asyncpg.Record]":
        """The live connection. Raises `CONNECTION_ERRORS` and the system's."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(
                self._dsn,
                application_name="command-api append",
                connect_timeout_seconds=self._connect_timeout_seconds,
                statement_timeout_seconds=self._call_timeout_seconds,
            )
            row = await self._connection.fetchrow(_BACKEND_SQL)
            self._backend = (row["pid"], row["backend_start"]) if row else None
        return self._connection

    @property
    def session(self) -> tuple[int, datetime] | None:
        """The present connection's server process and its start; None without a connection."""
        connection = self._connection
        return None if connection is None or connection.is_closed() else self._backend

    def drop(self) -> None:
        """Forget the connection without waiting for it: its state is unknown."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """Disconnect from the server."""
        if self._connection is not None:
            await self._connection.close(timeout=self._connect_timeout_seconds)
            self._connection = None

    async def what_it_waits_for(self) -> str:
        """Of a call in progress, in words. Never raises. This connection is busy, so another one asks."""
        if self._backend is None or self._connection is None or self._connection.is_closed():
            return "a connection to PostgreSQL"
        try:
            async with asyncio.timeout(LOOK_SECONDS_MAX):
                other = await connect(self._dsn, application_name="command-api look")
                try:
                    row = await other.fetchrow(_WAITS_SQL, self._backend[0])
                finally:
                    other.terminate()
        except (OSError, TimeoutError, *CONNECTION_ERRORS) as error:
            return f"not known: PostgreSQL could not be asked ({type(error).__name__})"
        return _in_words(row)

    async def find_written(self, batch: Sequence[Append]) -> list[Appended | None]:
        """After a broken call: the outcomes of the batch that the log shows; None for commands certainly not
        written.

        First it ends the old server process, then it takes the append lock: so nothing of the broken call can
        commit after we have looked. Raises `OutcomeUnknown` if this takes longer than its limit.
        """
        broken = self._backend
        self.drop()
        try:
            async with asyncio.timeout(self._recovery_seconds_max):
                while True:
                    try:
                        return await self._read_back(batch, broken)
                    except (OSError, *CONNECTION_ERRORS) as error:
                        _log.warning("append outcome still unknown", error=repr(error))
                        self.drop()
                        await asyncio.sleep(_PAUSE_SECONDS)
        except TimeoutError as error:
            raise OutcomeUnknown("the connection broke and the store could not be asked in time") from error

    async def _read_back(
        self, batch: Sequence[Append], broken: tuple[int, datetime] | None
    ) -> list[Appended | None]:
        connection = await self.get()
        if broken is not None:
            # Only the server knows when the process has ended.
            while await connection.fetchval(_END_BACKEND_SQL, *broken):  # noqa: ASYNC110
                await asyncio.sleep(_PAUSE_SECONDS)
        async with connection.transaction():
            await connection.execute(_TAKE_LOCK_SQL)
            newest = [append.expected_version + len(append.events) for append in batch]
            rows = await connection.fetch(_FIND_SQL, [append.product_id for append in batch], newest)
        found = {(row["product_id"], row["stream_version"]): row for row in rows}
        return [_written(append, found) for append in batch]


def _in_words(row: asyncpg.Record | None) -> str:
    if row is None:
        return "nothing: its server process is gone"
    if row["wait_event_type"] is None:
        return "nothing: PostgreSQL was at work"
    event = f"{row['wait_event_type']} {row['wait_event']}"
    if row["holder_pid"] is None:
        return event
    state = f", {row['holder_state']}" if row["holder_state"] else ""
    return f"{event}, held by process {row['holder_pid']} ({row['holder_name'] or 'no name'}{state})"


def _written(append: Append, found: dict[tuple[UUID, int], asyncpg.Record]) -> Appended | None:
    """The outcome of this append in the log. An append without events stores only its key: it is safe to
    write it again, and its key gets the stored answer, from us or from another process.
    """
    newest = append.expected_version + len(append.events)
    row = found.get((append.product_id, newest)) if append.events else None
    # The event id tells our event from another writer's at the same version.
    if row is None or _metadata.decode(row["metadata"]).event_id != append.events[-1].event_id:
        return None
    return Appended(newest, row["position"])
