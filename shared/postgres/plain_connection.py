"""A connection that costs no needless round trip, notices a dead server, and is never waited for by a caller
whose statement was given up.
"""

import asyncio
import os
import socket
from contextlib import suppress
from typing import Any

import asyncpg
from asyncpg.transaction import Transaction

CLOSE_SECONDS_MAX = 5.0
KEEPALIVE_IDLE_SECONDS = 30
KEEPALIVE_INTERVAL_SECONDS = 10
KEEPALIVE_PROBES = 3
_CANCEL_SECONDS_MAX = 1.0
# The event loop itself keeps only weak references to tasks.
_ending: set["asyncio.Task[None]"] = set()


class PlainConnection(asyncpg.Connection):
    """A connection without the reset query, with TCP keep-alive, that ends with a statement that is given up.

    asyncpg sends `SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;` at every release to a
    pool: a second round trip for every query, six times slower in trials. So a pooled connection must not be
    used for anything that outlives a transaction (SET, LISTEN, session locks, WITH HOLD cursors); use
    `connect` for those. An open transaction is still rolled back.

    A statement is given up when its time is over, or when its task is cancelled. asyncpg then asks the server
    to cancel it, and whatever comes next waits for the answer without a limit: a release, a ROLLBACK. A
    server that is paused, or behind a broken network, never answers. So nobody can use the connection from
    then on, and it ends as soon as the server has been told.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_closing = False
        _keep_alive(self._transport.get_extra_info("socket"))  # type: ignore[attr-defined]

    def get_reset_query(self) -> str:
        return ""

    def transaction(
        self, *, isolation: Any = None, readonly: bool = False, deferrable: bool = False
    ) -> "_PlainTransaction":
        """As asyncpg's; see `_PlainTransaction`."""
        self._check_open()  # type: ignore[attr-defined]
        return _PlainTransaction(self, isolation, readonly, deferrable)

    def _cancel_current_command(self, waiter: "asyncio.Future[None]") -> None:
        """asyncpg calls this for a statement that is given up. `waiter`: the server has been told."""
        if self._is_closing:
            super()._cancel_current_command(waiter)  # type: ignore[misc]  # the stubs lack it
            return
        self._aborted = True  # closed for everybody from now on
        ending = asyncio.create_task(self._end(waiter))
        _ending.add(ending)
        ending.add_done_callback(_ending.discard)

    async def _end(self, waiter: "asyncio.Future[None]") -> None:
        """Tell the server, so that it does not work for nobody; it has a limit of its own, so this may fail.
        Then leave: a pooler forgets a client that has left, and could not cancel its statement.
        """
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CANCEL_SECONDS_MAX):
                    await super()._cancel(waiter)  # type: ignore[misc]  # the stubs lack it
        finally:
            self._transport.abort()  # type: ignore[attr-defined]
        if waiter.done() and not waiter.cancelled():
            waiter.exception()  # or the loop would report that nobody has asked for it

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Disconnect; raises TimeoutError if the server does not answer, but closes the connection anyway.

        asyncpg's own time-out does not include a cancellation in progress, which waits until the server
        closes the connection: for ever if the machine has vanished.
        """
        self._is_closing = True
        try:
            async with asyncio.timeout(timeout or CLOSE_SECONDS_MAX):
                await super().close(timeout=timeout)
        finally:
            self._transport.abort()  # type: ignore[attr-defined]


class _PlainTransaction(Transaction):
    """A transaction that leaves the error alone which ended its connection.

    asyncpg's asks the dead connection for a ROLLBACK, and raises what comes of that instead: a cancelled task
    would go on, and a time-out would look like a lost connection, which is worth another try.
    """

    async def __aexit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if error is not None and self._connection.is_closed():  # type: ignore[attr-defined]
            return
        await super().__aexit__(kind, error, traceback)


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
            ("TCP_KEEPIDLE", KEEPALIVE_IDLE_SECONDS),
            ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL_SECONDS),
            ("TCP_KEEPCNT", KEEPALIVE_PROBES),
        ):
            if hasattr(socket, option):
                duplicate.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
