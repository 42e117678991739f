"""Ends connections so that the client can read the last answer; a client that does not read is cut off.

If a socket is closed while bytes of the client are unread, the kernel sends a reset, and a reset may destroy
the answer before the client has read it. So we end our side first, drop arriving bytes for a moment, and then
close the connection (RFC 9112, 9.6).
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.ops.http.answer_headers import AnswerHeaders, HeaderLines
from shared.ops.http.limits import ConnectionLimits
from shared.ops.http.port_load import PortLoad
from shared.ops.http.problem import CONTENT_TYPE, Problem, problem_body

_lines = HeaderLines()
_HEAD = b"HTTP/1.1 "
_HEAD_BYTES = len(_HEAD)


class ClosingProtocol(HttpToolsProtocol):
    """uvicorn's connection with a bounded end.

    `is_deaf`: arriving bytes are dropped. `is_leaving`: the next answer is the last one, and says so.
    """

    is_deaf = False
    is_leaving = False
    has_ended = False
    is_lingering = False
    _taking: asyncio.TimerHandle | None = None

    def __init__(
        self,
        *args: Any,
        limits: ConnectionLimits | None = None,
        headers: AnswerHeaders | None = None,
        load: PortLoad | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(*args, **settings)
        self.limits = limits or ConnectionLimits()
        self.load = load or PortLoad(None, self.limits.bodies_bytes_max)
        self.answer_headers = headers or AnswerHeaders()

    def pause_writing(self) -> None:
        """The client reads too slowly: from now on its time is limited."""
        super().pause_writing()
        self._limit_taking()

    def resume_writing(self) -> None:
        """The client has read enough."""
        super().resume_writing()
        self._forget_taking()
        if self.is_lingering:
            self._limit_taking(self.limits.linger_seconds_max)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers, so that they do not keep a lost connection in memory."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._forget_taking()

    def timeout_keep_alive_handler(self) -> None:
        """An idle client that has not even read its last answer gets no more time."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def answer_and_close(self, problem: Problem) -> None:
        """Send the last answer on this connection. No earlier answer may be due."""
        body = problem_body(problem, trace_id=None, request_id=None, instance=None)
        status = f"HTTP/1.1 {problem.status} {problem.code}\r\n".encode()
        head = (
            f"content-type: {CONTENT_TYPE}\r\ncontent-length: {len(body)}\r\n"
            "cache-control: no-store\r\nconnection: close\r\n\r\n"
        )
        always = _lines.of(self.server_state.default_headers)
        self.transport.write(b"".join((status, always, head.encode(), body)))
        self.close_after_reading()

    def close_after_reading(self) -> None:
        """End our side; drop what still arrives; close when the client ends its side, or after a moment."""
        if self.is_lingering or self.transport.is_closing():
            return
        self.is_deaf = self.is_lingering = True
        self.pipeline.clear()
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        if self.has_ended:
            self.transport.close()
        else:
            self.transport.write_eof()
        self._limit_taking(self.limits.linger_seconds_max)

    def _limit_taking(self, more_seconds: float = 0.0) -> None:
        """Cut the connection if the client does not read the written bytes in time."""
        self._forget_taking()
        size_bytes = self.transport.get_write_buffer_size()
        seconds = more_seconds + (self.limits.answer_seconds(size_bytes) if size_bytes else 0.0)
        self._taking = self.loop.call_later(seconds, self.transport.abort)

    def _forget_taking(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None


class AnswerTransport:
    """The transport for a request's answer. uvicorn writes a head, then its body, and uvloop sends each write
    at once: together they are one system call, and one packet that wakes the client.

    A head whose body does not follow in the same tick of the loop goes alone. `close` gives the client time
    to read the answer.
    """

    __slots__ = ("_head", "_protocol", "_write", "is_closing")

    def __init__(self, protocol: ClosingProtocol) -> None:
        self._protocol = protocol
        self._head = b""
        # Bound here, so that they cost no time per answer.
        self._write = protocol.transport.write
        self.is_closing = protocol.transport.is_closing

    def write(self, data: bytes) -> None:
        """A head, or a piece of a body."""
        if self._head:
            head, self._head = self._head, b""
            self._write(head + data)
        elif data[:_HEAD_BYTES] == _HEAD:
            self._head = data
            self._protocol.loop.call_soon(self.flush)
        else:
            self._write(data)

    def flush(self) -> None:
        """Send a head that still waits for its body. An answer may have none."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        """Called when the answer is complete."""
        self.flush()
        self._protocol.close_after_reading()
