"""Connections without needless round trips, which notice a dead server, and with which a process can start
while PostgreSQL is unavailable.
"""

from typing import Any

import asyncpg

from shared.ops.secret import Secret
from shared.postgres.dsn import read_dsn
from shared.postgres.hosts import Hosts
from shared.postgres.measured_pool import MeasuredPool
from shared.postgres.plain_connection import (
    CLOSE_SECONDS_MAX,
    KEEPALIVE_IDLE_SECONDS,
    KEEPALIVE_INTERVAL_SECONDS,
    KEEPALIVE_PROBES,
    PlainConnection,
)
from shared.postgres.pooler_settings import Pooler

_MILLISECONDS = 1000
# Client-side time-outs end a little after the server's own, so that usually the server's error wins.
_COMMAND_GRACE_SECONDS = 1.0
# asyncpg's own defaults, which its `create_pool` would set.
_QUERIES_PER_CONNECTION_MAX = 50_000
_IDLE_SECONDS_MAX = 300.0


class _Pool(MeasuredPool):
    """A pool that loses no places.

    When a closed connection is released, asyncpg assumes that its loss has freed its place in the pool. That
    is wrong if the server ended the connection before the pool handed it out, as at a shutdown while we
    connect. After as many such losses as there are places, every statement would wait for ever, and so would
    `close`.
    """

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Called by `fetch` and the like, and at the end of `async with pool.acquire()`.

        At once if the connection is closed, as it is after a statement that was given up (`PlainConnection`),
        or if there is nothing to undo, for which asyncpg makes a task and two time-outs. Else a transaction
        that was left open is rolled back; raises TimeoutError if that is not answered.
        """
        held = connection._con
        if held is not None and not held.is_closed():
            if self._can_go_on(connection._holder, held):
                held._on_release()
                connection._holder._timeout = None
                connection._holder._release()
                connection._holder._setup_inactive_callback()
                return
            await super().release(connection, timeout=timeout or CLOSE_SECONDS_MAX)
        if connection._con is not None:  # not taken back
            connection.terminate()

    def _can_go_on(self, holder: Any, held: Any) -> bool:
        """Whether the next caller can have the connection as it is."""
        protocol = held._protocol
        return not (
            holder._pool is not self
            or holder._generation != self._generation
            or protocol.queries_count >= _QUERIES_PER_CONNECTION_MAX
            or protocol.is_in_transaction()
            or protocol._is_cancelling()
            or held._top_xact is not None
            or held._listeners
            or held._log_listeners
        )


async def create_pool(
    dsn: Secret | str,
    *,
    application_name: str,
    size_max: int,
    statement_timeout_seconds: float,
    connect_timeout_seconds: float,
    lock_timeout_seconds: float | None = None,
    pooler: Pooler = "none",
) -> "asyncpg.Pool[asyncpg.Record]":
    """A pool of up to `size_max` connections, made when first needed, so that this returns even while the
    server is unavailable.

    Use its connections only for statements and transactions; see `PlainConnection`. Close it with `await
    pool.close()`. A secret address, and the certificates that it names, are read again for each connection.
    Its metrics have `application_name` as the value of `pool`. `lock_timeout_seconds` None: a statement waits
    for a lock as long as it may last.

    Behind a `pooler` no settings are sent, because they would be refused: the limits on the server are those
    of the role (`session_check.py`), and `statement_timeout_seconds` applies on our side alone.
    """
    hosts = Hosts()

    async def connect_anew(*_: Any, **arguments: Any) -> Any:
        return await hosts.connect(_connect_to_one, read_dsn(dsn), **arguments)

    settings = {"application_name": application_name}
    if pooler == "none":
        settings = _server_settings(application_name, statement_timeout_seconds, lock_timeout_seconds)

    pool = _Pool(
        None,
        connect=connect_anew,
        min_size=0,
        max_size=size_max,
        max_queries=_QUERIES_PER_CONNECTION_MAX,
        max_inactive_connection_lifetime=_IDLE_SECONDS_MAX,
        loop=None,
        connection_class=PlainConnection,
        record_class=asyncpg.Record,
        timeout=connect_timeout_seconds,
        command_timeout=statement_timeout_seconds + _COMMAND_GRACE_SECONDS,
        server_settings=settings,
    )
    pool.measured_as(application_name)
    return await pool


async def connect(
    dsn: Secret | str,
    *,
    application_name: str,
    connect_timeout_seconds: float = 5.0,
    statement_timeout_seconds: float | None = None,
    lock_timeout_seconds: float | None = None,
) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection outside of pools, for session locks, LISTEN, long statements; never through a transaction
    pooler.

    Raises an error for which `errors.is_transient` is true if the server is unavailable.
    `statement_timeout_seconds` None: no limit, whatever the server has for others. `lock_timeout_seconds` as
    for pools.
    """
    grace = None if statement_timeout_seconds is None else statement_timeout_seconds + _COMMAND_GRACE_SECONDS
    connection: asyncpg.Connection[asyncpg.Record] = await Hosts().connect(
        _connect_to_one,
        read_dsn(dsn),
        connection_class=PlainConnection,
        timeout=connect_timeout_seconds,
        command_timeout=grace,
        server_settings=_server_settings(application_name, statement_timeout_seconds, lock_timeout_seconds),
    )
    return connection


async def _connect_to_one(dsn: str, **arguments: Any) -> Any:
    return await asyncpg.connect(dsn, **arguments)


def _server_settings(
    application_name: str,
    statement_timeout_seconds: float | None,
    lock_timeout_seconds: float | None = None,
) -> dict[str, str]:
    """Session settings sent with the start-up packet: no extra round trip, and in force from the first
    statement.

    If a client's machine vanishes, the server's keep-alive frees its locks after a minute instead of two
    hours.
    """
    # 0 is no limit. It is sent, too: a server may have a limit of its own, which a long migration would meet.
    timeout = str(int((statement_timeout_seconds or 0) * _MILLISECONDS))
    settings = {
        "application_name": application_name,
        "statement_timeout": timeout,
        "idle_in_transaction_session_timeout": timeout,
        "tcp_keepalives_idle": str(KEEPALIVE_IDLE_SECONDS),
        "tcp_keepalives_interval": str(KEEPALIVE_INTERVAL_SECONDS),
        "tcp_keepalives_count": str(KEEPALIVE_PROBES),
    }
    if lock_timeout_seconds is not None:
        settings["lock_timeout"] = str(int(lock_timeout_seconds * _MILLISECONDS))
    return settings
