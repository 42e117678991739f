"""A hint after commits that there are new events. Readers notice them sooner; correctness does not need it.

NOTIFY inside a transaction takes a database-wide lock at its commit, and so serialises all appends. Sent
after the commit, from one place and at most every few milliseconds, it costs appends nothing
(docs/library-facts.md). A hint may get lost, so readers poll as well.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import asyncpg

from shared.ops.concurrency.waits import cancelled, pause
from shared.ops.logs import get_logger
from shared.ops.secret import Secret
from shared.postgres.pool import connect
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

CHANNEL = "catalogue_appended"
INTERVAL_SECONDS_MIN = 0.03
_RECONNECT_SECONDS = 1.0
_STATEMENT_SECONDS_MAX = 2.0
_CLOSE_SECONDS_MAX = 1.0
_SQL = "command_api.postgres"
_log = get_logger(__name__)


class AppendHint:
    """Sends the hint: the first `notify` at once, all those within the following interval as one."""

    def __init__(self, dsn: Secret | str, *, interval_seconds_min: float = INTERVAL_SECONDS_MIN) -> None:
        self._interval_seconds_min = interval_seconds_min
        self._appended = asyncio.Event()
        self._session = _Session(dsn, "catalogue-append-hint", self._send)

    def notify(self) -> None:
        """Call it when events were committed. It never blocks, waits or raises, so the append may call it."""
        self._appended.set()

    async def start(self) -> None:
        """Connect in the background; returns at once, even while PostgreSQL is unavailable."""
        self._session.start()

    async def stop(self) -> None:
        """Disconnect; a hint that was not sent yet is dropped."""
        await self._session.stop()

    async def _send(self, connection: "Connection") -> None:
        # A notification is not data: if one is lost in a crash, a poll finds the events.
        await connection.execute(load_sql(_SQL, "set_asynchronous_commit"))
        while True:
            await self._appended.wait()
            self._appended.clear()
            await connection.execute(load_sql(_SQL, "notify_appended"))
            await asyncio.sleep(self._interval_seconds_min)


class AppendListener:
    """Receives the hint. Adapter of the relay's `AppendSignal`."""

    def __init__(self, dsn: Secret | str) -> None:
        self._appended = asyncio.Event()
        self._is_connected = False
        self._session = _Session(dsn, "catalogue-append-listener", self._listen)

    async def start(self) -> None:
        """Connect in the background; returns at once, even while PostgreSQL is unavailable."""
        self._session.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._session.stop()

    @property
    def is_connected(self) -> bool:
        """Whether PostgreSQL sends us hints, as far as is known."""
        return self._is_connected

    async def wait(self, seconds_max: float) -> bool:
        """Until a hint came since the last call, or `seconds_max` passed; whether one came.

        Read the log after, not before.
        """
        await pause(seconds_max, self._appended)
        is_hinted = self._appended.is_set()
        self._appended.clear()
        return is_hinted

    async def _listen(self, connection: "Connection") -> None:
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(CHANNEL, self._heard)
        # We have no hints for appends before this moment.
        self._appended.set()
        self._is_connected = True
        try:
            await lost.wait()
        finally:
            self._is_connected = False
        raise ConnectionError("the listening connection was closed")

    def _heard(self, *_: Any) -> None:
        self._appended.set()


class _Session:
    """Keeps one connection alive in the background and runs `use` on it, again after each loss."""

    def __init__(self, dsn: Secret | str, name: str, use: "Callable[[Connection], Awaitable[None]]") -> None:
        self._dsn = dsn
        self._name = name
        self._use = use
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            await cancelled(running)

    async def _run(self) -> None:
        is_known_down = False
        while True:
            try:
                await self._connected()
            except Exception as error:
                # Readers poll anyway, so errors do no harm: log the first one, and try again for ever.
                if isinstance(error, _Dropped) or not is_known_down:
                    _log.warning(
                        "append hint unavailable; readers poll",
                        session=self._name,
                        error=repr(error),
                    )
                is_known_down = True
                await asyncio.sleep(_RECONNECT_SECONDS)

    async def _connected(self) -> None:
        connection = await connect(
            self._dsn, application_name=self._name, statement_timeout_seconds=_STATEMENT_SECONDS_MAX
        )
        try:
            await self._use(connection)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise _Dropped(str(error)) from error
        finally:
            with suppress(Exception):
                await connection.close(timeout=_CLOSE_SECONDS_MAX)


class _Dropped(Exception):
    """A working connection was lost: this is logged, but not the failed attempts after it."""
