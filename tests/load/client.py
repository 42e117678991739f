"""An HTTP/1.1 client that costs little: the generator shares the machine with what it measures.

oha and wrk2 have an open model, too, but send one kind of request: they cannot take a product's id or a
token out of one answer into the next request. k6 can, but it is a program in Go that no Python package
brings. So this is our own client: one protocol class, no streams, no pool beyond a list. It knows answers
with a Content-Length, or without a body.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from shared.ops.secret import NO_SECRET, Secret


class Answer(NamedTuple):
    """`headers` as sent; see `header`."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: bytes) -> str | None:
        """The value of a header, whose name is given in lower case."""
        for line in self.head.split(b"\r\n")[1:]:
            field, _, value = line.partition(b":")
            if field.lower() == name:
                return value.strip().decode("latin-1")
        return None

    @property
    def code(self) -> str:
        """The code of a problem document; empty if the body is none."""
        try:
            document = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return ""
        return str(document.get("code", "")) if isinstance(document, dict) else ""


class NoAnswer(Exception):
    """The request got no answer; the text says why, in a few words."""


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.waiting: asyncio.Future[Answer] | None = None
        self._received = b""
        self._head: bytes | None = None
        self._body_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_exception(NoAnswer("connection lost"))

    def send(self, request: bytes) -> "asyncio.Future[Answer]":
        assert self.transport is not None
        self.waiting = asyncio.get_running_loop().create_future()
        self._received, self._head = b"", None
        self.transport.write(request)
        return self.waiting

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        if self._head is None:
            head, mark, rest = self._received.partition(b"\r\n\r\n")
            if not mark:
                return
            self._head, self._received = head, rest
            self._body_bytes = _content_length(head)
        if len(self._received) >= self._body_bytes and self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(Answer(int(self._head[9:12]), self._head, self._received))


class Client:
    """Connections to one server: as many as requests are under way, at most `connections_max`.

    The token is asked for with each request: one that expires during a run may be replaced in its file.
    With `trusted` it speaks TLS. `address` is where the server is, if that is not the host of the URL.
    """

    def __init__(
        self,
        url: str,
        *,
        connections_max: int,
        seconds_max: float,
        token: Secret = NO_SECRET,
        trusted: ssl.SSLContext | None = None,
        address: str | None = None,
    ) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self._trusted, self._address = trusted, address or self.host
        self._connections_max = connections_max
        self._seconds_max = seconds_max
        self._token = token
        self._idle: list[_Connection] = []
        self.under_way = 0

    async def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request. Raises `NoAnswer`."""
        if self.under_way >= self._connections_max:
            raise NoAnswer("not sent: the generator has too many requests under way")
        self.under_way += 1
        connection = None
        try:
            async with asyncio.timeout(self._seconds_max):
                connection = await self._connection()
                answer = await connection.send(self._bytes(method, path, body, headers or {}))
        except TimeoutError as error:
            raise NoAnswer("no answer in time") from error
        except OSError as error:
            raise NoAnswer(f"cannot connect: {error.strerror or error}") from error
        else:
            if answer.header(b"connection") != "close":
                self._idle.append(connection)
                connection = None
            return answer
        finally:
            self.under_way -= 1
            if connection is not None and connection.transport is not None:
                connection.transport.close()

    async def _connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.transport is not None and not connection.transport.is_closing():
                return connection
        _, made = await asyncio.get_running_loop().create_connection(
            _Connection, self._address, self.port,
            ssl=self._trusted, server_hostname=self.host if self._trusted else None,
        )  # fmt: skip
        return made

    def _bytes(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"host: {self.host}:{self.port}"]
        if body or method in ("POST", "PUT", "PATCH"):
            lines += ["content-type: application/json", f"content-length: {len(body)}"]
        if self._token:
            lines.append(f"authorization: Bearer {self._token.read()}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def close(self) -> None:
        """Drop the connections."""
        for connection in self._idle:
            if connection.transport is not None:
                connection.transport.close()
        self._idle.clear()


def _content_length(head: bytes) -> int:
    lower = head.lower()
    start = lower.find(b"\r\ncontent-length:")
    if start < 0:
        return 0
    end = lower.find(b"\r\n", start + 2)
    return int(lower[start + 17 : None if end < 0 else end])
