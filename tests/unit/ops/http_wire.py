"""A server of our own over a small application, spoken to in bytes."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.ops.http.answer_headers import AnswerHeaders
from shared.ops.http.asgi import ClientLeft, Receive, Scope, Send, respond
from shared.ops.http.in_turn import InTurn
from shared.ops.http.limits import ConnectionLimits
from shared.ops.http.request_layer import RequestLayer
from shared.ops.http.server import HttpServer
from shared.ops.overload.overload import Overload

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
CLOSE = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
CHUNKED = b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
SECONDS_MAX = 30


def echo(body: bytes, more: bytes = b"") -> bytes:
    """A request that is answered with its body."""
    return b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n%b\r\n%b" % (len(body), more, body)


class SampleApp:
    """/echo answers with the body; /held answers once `release` is set and ignores its body; all else is
    answered at once. `executed` are the paths that were worked on.
    """

    def __init__(self) -> None:
        self.executed: list[str] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self.entered = asyncio.Event()
        self.release = asyncio.Event()
        self.answer = b"done"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive) if scope["path"] == "/echo" else self.answer
        self.executed.append(scope["path"])
        self.headers = scope["headers"]
        self.entered.set()
        if scope["path"] == "/held":
            await self.release.wait()
        await respond(scope, send, 200, "text/plain", body)


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        body += message["body"]
        if not message["more_body"]:
            return body


@asynccontextmanager
async def serving(
    app: SampleApp,
    limits: ConnectionLimits | None = None,
    http_limit: int | None = None,
    headers: AnswerHeaders | None = None,
    overload: Overload | None = None,
) -> AsyncIterator[HttpServer]:
    server = HttpServer(
        app if overload is None else RequestLayer(InTurn(app)),
        host="127.0.0.1",
        port=0,
        port_setting="P",
        limits=limits,
        http_limit=http_limit,
        headers=headers,
        overload=overload,
    )
    await server.start()
    try:
        yield server
    finally:
        app.release.set()
        await server.stop(5)


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer: status, headers, body."""
        async with asyncio.timeout(SECONDS_MAX):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            status, *lines = head.strip().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines)
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
            return int(status.split()[1]), headers, body

    async def answers_until_closed(self) -> list[tuple[int, bytes]]:
        """The statuses and bodies of all answers up to the end; nothing may stand between or after them."""
        async with asyncio.timeout(SECONDS_MAX):
            rest, found = await self.reader.read(), []
        while rest:
            head, _, rest = rest.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: ([0-9]+)", head)
            assert head.startswith(b"HTTP/1.1 "), head
            assert length, head
            found.append((int(head.split()[1]), rest[: int(length[1])]))
            rest = rest[int(length[1]) :]
        return found


@asynccontextmanager
async def wire_to(server: HttpServer) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


async def answers(server: HttpServer, *parts: bytes, ends: bool = False) -> list[tuple[int, bytes]]:
    """What is answered to these bytes until the server closes; `ends`: the client sends no more."""
    async with wire_to(server) as wire:
        await wire.send(*parts)
        if ends:
            wire.writer.write_eof()
        return await wire.answers_until_closed()
