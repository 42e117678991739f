"""One connection of the superuser to each server of a run: a `psql` program a statement costs 25 ms."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import asyncpg

from deploy.local.ports import HOST
from deploy.local.postgres import SUPERUSER

_STATEMENT_SECONDS_MAX = 60.0


class _PostgresServer(Protocol):
    port: int

    def superuser_password(self) -> str: ...


class Superuser:
    """Runs statements one after the other, whichever threads they come from, on a loop of its own."""

    def __init__(self, server: _PostgresServer) -> None:
        self._host, self._port = getattr(server, "host", HOST), server.port
        self._password = server.superuser_password()
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._runner = asyncio.Runner()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="superuser")

    def run(self, statement: str) -> None:
        """Run one statement outside a transaction. Raises asyncpg's errors, and OSError without a server."""
        self._on_thread(self._run(statement))

    def close(self) -> None:
        """Leave, however the server is."""
        self._on_thread(self._leave())
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()

    async def _run(self, statement: str) -> None:
        connection = await self._living()
        await connection.execute(statement)

    async def _living(self) -> "asyncpg.Connection[asyncpg.Record]":
        """The connection, or another one where the server was stopped or killed in between."""
        if self._connection is not None:
            try:
                await self._connection.execute("SELECT 1")
            except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
                self._connection.terminate()
                self._connection = None
        if self._connection is None:
            self._connection = await asyncpg.connect(
                host=self._host, port=self._port, user=SUPERUSER, password=self._password,
                database="postgres", ssl=False,
                timeout=_STATEMENT_SECONDS_MAX, command_timeout=_STATEMENT_SECONDS_MAX,
            )  # fmt: skip
        return self._connection

    async def _leave(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            await asyncio.sleep(0)  # the loop closes the transport in its next turn

    def _on_thread(self, work: Coroutine[Any, Any, None]) -> None:
        self._thread.submit(self._runner.run, work).result()


_superusers: "WeakKeyDictionary[_PostgresServer, Superuser]" = WeakKeyDictionary()
_superusers_lock = threading.Lock()


def superuser_of(server: _PostgresServer) -> Superuser:
    """The one connection to this server; it is up."""
    with _superusers_lock:
        if server not in _superusers:
            _superusers[server] = Superuser(server)
        return _superusers[server]


def close_superuser(server: object) -> None:
    """Where there is one."""
    superuser = _superusers.pop(server, None)  # type: ignore[call-overload]
    if superuser is not None:
        superuser.close()
