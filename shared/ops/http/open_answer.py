"""An answer without end: its request ends when it has begun, and the connection belongs to who writes it.

A stream that stays open for hours is no request in progress: it works on nothing. So the application returns,
and with it go its task, its place in every count of requests, its span and its line in the log. What is
written from then on goes to the connection as it is, so that thousands of clients share the same bytes.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from shared.ops.http.asgi import Scope

OPEN_ANSWER = "shared.ops.http.open_answer"
"""The key in a request's scope for what `OpenAnswer` takes over."""
_LAST_CHUNK = b"0\r\n\r\n"


class Connection(Protocol):
    """What is needed of the protocol of a connection."""

    loop: asyncio.AbstractEventLoop
    transport: Any
    flow: Any
    limits: Any
    open_answer: "OpenAnswer | None"

    def close_after_reading(self) -> None: ...


def chunk(body: bytes) -> bytes:
    """A piece of a body in the form that `write` wants (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(body), body)


class OpenAnswer:
    """The rest of an answer of which head and first piece are sent. `on_lost` is called once, when the
    connection is gone for whatever reason.
    """

    def __init__(self, scope: Scope, on_lost: Callable[[], None]) -> None:
        self._connection: Connection
        self._connection, self._cycle = scope[OPEN_ANSWER]
        self._on_lost = on_lost
        self._cutting: asyncio.TimerHandle | None = None
        # uvicorn then leaves the answer alone, although the application returns without its end.
        self.is_over = self._cycle.disconnected
        self._cycle.disconnected = True
        self._connection.open_answer = self
        self.write = self._connection.transport.write

    @property
    def waiting_bytes(self) -> int:
        """Written, and not taken by the client's side yet."""
        size: int = self._connection.transport.get_write_buffer_size()
        return size

    async def drained(self) -> None:
        """Until the client has taken most of what was written. One that does not is cut off by the limits of
        the port.
        """
        await self._connection.flow.drain()

    def end(self) -> None:
        """The answer is whole. A client that does not take the rest of it at once is cut off."""
        if self.is_over:
            return
        self.is_over = True
        self.write(_LAST_CHUNK)
        self._cycle.response_complete = True
        connection = self._connection
        connection.close_after_reading()
        seconds = connection.limits.linger_seconds_max
        self._cutting = connection.loop.call_later(seconds, connection.transport.abort)

    def lost(self) -> None:
        """The connection is gone."""
        self.is_over = True
        if self._cutting is not None:
            self._cutting.cancel()
        self._on_lost()
