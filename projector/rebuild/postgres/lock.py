"""One process at a time starts, resumes, cancels, rolls back or finishes a projection's rebuild.

Two guards. A session lock on a connection of its own refuses the second process at once, and the server
frees it when its holder dies. And a process that takes the lock writes a new owner into
`views.rebuild_owner`, which every transaction of a rebuild compares (`RebuildRecords.owned`): a holder that
was paused, or whose connection was lost, can change nothing once another process has the lock.

A session lock needs a connection to PostgreSQL itself. Through a pooler in transaction mode the lock would
stay on a server connection that all clients share.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from projector.errors import RebuildIsLocked, RebuildLockLost
from projector.postgres.failures import translated
from shared.ops.secret import Secret
from shared.postgres.pool import connect
from shared.postgres.sql import load_sql

_SERVER = "read model"
_PACKAGE = "projector.rebuild.postgres"
APPLICATION_NAME = "projector-rebuild-lock"
# Most transactions of a killed process end within this time; a long one (a slice, an index) may take longer.
_TAKE_SECONDS_MAX = 10.0


@asynccontextmanager
async def rebuild_lock(
    dsn: Secret | str, projection: str, *, connect_timeout_seconds: float
) -> AsyncIterator[UUID]:
    """Hold the lock in this block; the owner's id is for `RebuildRecords`.

    Raises `RebuildIsLocked` if another process has it, `Unavailable`, and `RebuildLockLost` in the middle
    of the block if the connection is lost.
    """
    with translated(_SERVER):
        connection = await connect(
            dsn, application_name=APPLICATION_NAME, connect_timeout_seconds=connect_timeout_seconds
        )
    try:
        with translated(_SERVER):
            owner_id = await _taken(connection, projection)
        async with _until_lost(connection, projection):
            yield owner_id
    finally:
        with suppress(OSError):  # the server does not answer: it frees the lock when it notices the loss
            await connection.close()


async def _taken(connection: "asyncpg.Connection[asyncpg.Record]", projection: str) -> UUID:
    if not await connection.fetchval(load_sql(_PACKAGE, "lock_rebuild"), projection):
        holder = await connection.fetchrow(load_sql(_PACKAGE, "select_rebuild_lock_holder"), projection)
        raise RebuildIsLocked(projection, "" if holder is None else _text(holder))
    owner_id = uuid4()
    milliseconds = str(int(_TAKE_SECONDS_MAX * 1000))
    await connection.execute(load_sql(_PACKAGE, "with_bounded_lock_wait"), milliseconds)
    try:
        await connection.execute(load_sql(_PACKAGE, "take_rebuild"), projection, owner_id)
    except asyncpg.LockNotAvailableError as error:
        raise RebuildIsLocked(projection, "a transaction of a stopped process still runs") from error
    return owner_id


def _text(holder: "asyncpg.Record") -> str:
    since = holder["backend_start"]
    start = "" if since is None else f" since {since.isoformat(timespec='seconds')}"
    return f"PostgreSQL session {holder['pid']} from {holder['client']}{start}"


@asynccontextmanager
async def _until_lost(
    connection: "asyncpg.Connection[asyncpg.Record]", projection: str
) -> AsyncIterator[None]:
    """Ends the work of the block when the connection ends, because the lock ends with it."""
    until = asyncio.timeout(None)

    def lost(_: Any) -> None:
        until.reschedule(0)

    try:
        async with until:
            connection.add_termination_listener(lost)
            try:
                if connection.is_closed():
                    raise RebuildLockLost(projection)
                yield
            finally:
                connection.remove_termination_listener(lost)
    except TimeoutError as error:
        if not until.expired():
            raise
        raise RebuildLockLost(projection) from error
