"""Connections without needless round trips, which notice a dead server, and with which a process can start
while PostgreSQL is unavailable.
"""

import asyncio
import os
import socket
from typing import Any

import asyncpg

from shared.ops.secret import Secret
from shared.postgres.dsn import read_dsn
from shared.postgres.hosts import Hosts
from shared.postgres.measured_pool import MeasuredPool
from shared.postgres.pooler_settings import Pooler

_MILLISECONDS = 1000
# Client-side time-outs end a little after the server's own, so that usually the server's error wins.
_COMMAND_GRACE_SECONDS = 1.0
_CLOSE_SECONDS_MAX = 5.0
_KEEPALIVE_IDLE_SECONDS = 30
_KEEPALIVE_INTERVAL_SECONDS = 10
_KEEPALIVE_PROBES = 3
# asyncpg's own defaults, which its `create_pool` would set.
_QUERIES_PER_CONNECTION_MAX = 50_000
_IDLE_SECONDS_MAX = 300.0


class PlainConnection(asyncpg.Connection):
    """A connection without the reset query, and with TCP keep-alive.

    asyncpg sends `SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;` at every release to a
    pool: a second round trip for every query, six times slower in trials. So a pooled connection must not be
    used for anything that outlives a transaction (SET, LISTEN, session locks, WITH HOLD cursors); use
    `connect` for those. An open transaction is still rolled back.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _keep_alive(self._transport.get_extra_info("socket"))  # type: ignore[attr-defined]

    def get_reset_query(self) -> str:
        return ""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Disconnect; raises TimeoutError if the server does not answer, but closes the connection anyway.

        asyncpg's own time-out does not include a cancellation in progress, which waits until the server
        closes the connection: for ever if the machine has vanished.
        """
        async with asyncio.timeout(timeout or _CLOSE_SECONDS_MAX):
            await super().close(timeout=timeout)


class _Pool(MeasuredPool):
    """A pool that loses no places.

    When a closed connection is released, asyncpg assumes that its loss has freed its place in the pool. That
    is wrong if the server ended the connection before the pool handed it out, as at a shutdown while we
    connect. After as many such losses as there are places, every statement would wait for ever, and so would
    `close`.
    """

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Called by `fetch` and the like, and at the end of `async with pool.acquire()`.

        Bounded for the same reason as `PlainConnection.close`; raises TimeoutError. asyncpg does not expect
        that a connection is lost while it waits for a cancellation: its place is already free then.
        """
        holder = connection._holder
        try:
            await super().release(connection, timeout=timeout or _CLOSE_SECONDS_MAX)
        except AttributeError:
            if holder._con is not None:
                raise
        if connection._con is not None:  # not taken back
            connection.terminate()


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
        "tcp_keepalives_idle": str(_KEEPALIVE_IDLE_SECONDS),
        "tcp_keepalives_interval": str(_KEEPALIVE_INTERVAL_SECONDS),
        "tcp_keepalives_count": str(_KEEPALIVE_PROBES),
    }
    if lock_timeout_seconds is not None:
        settings["lock_timeout"] = str(int(lock_timeout_seconds * _MILLISECONDS))
    return settings


def _keep_alive(transport_socket: Any) -> None:
    """Let the client's kernel notice a dead server, too; asyncpg has no setting for it.

    uvloop's socket object refuses `setsockopt`, so the options are set through a duplicate of the descriptor;
    both descriptors belong to the same socket.
    """
    if transport_socket is None or transport_socket.family == socket.AF_UNIX:
        return
    with socket.socket(fileno=os.dup(transport_socket.fileno())) as duplicate:
        duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (
            ("TCP_KEEPIDLE", _KEEPALIVE_IDLE_SECONDS),
            ("TCP_KEEPINTVL", _KEEPALIVE_INTERVAL_SECONDS),
            ("TCP_KEEPCNT", _KEEPALIVE_PROBES),
        ):
            if hasattr(socket, option):
                duplicate.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
