"""An issuer of a test's own, over real HTTP: it answers what the test wants, and counts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class IssuerStandIn:
    """`answers`: the whole answer by path. `is_silent`: it accepts connections and never answers."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.answers: dict[str, bytes] = {}
        self.is_silent = False
        self.asked: list[str] = []

    def publish(self, path: str, body: bytes, status: str = "200 OK", head: str = "") -> None:
        """Answer `path` with this body."""
        start = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{head}connection: close\r\n\r\n"
        self.answers[path] = start.encode() + body


@asynccontextmanager
async def issuer_stand_in() -> AsyncIterator[IssuerStandIn]:
    """An issuer without any document yet."""
    silent: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        issuer.asked.append(path)
        if issuer.is_silent:
            silent.append(writer)
            return
        writer.write(issuer.answers.get(path, b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    issuer = IssuerStandIn(server.sockets[0].getsockname()[1])
    try:
        yield issuer
    finally:
        for writer in silent:
            writer.close()
        server.close()
        await server.wait_closed()
