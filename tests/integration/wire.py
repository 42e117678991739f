"""A connection to a query API that a test speaks to in bytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.contract.views import ProductDocument
from tests.integration.query_world import World

_ANSWER_SECONDS_MAX = 60


class Wire:
    """One connection, spoken to in bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def ask(self, *heads: str) -> None:
        """Send whole heads, in one piece."""
        self.writer.write(b"".join(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" for head in heads))

    async def answer(self, *, has_body: bool = True) -> tuple[int, dict[str, str], bytes]:
        """The next answer: status, headers, body."""
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), _ANSWER_SECONDS_MAX)).decode()
        status, *lines = head.strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers.get("content-length", "0")) if has_body else 0
        body = await asyncio.wait_for(self.reader.readexactly(length), _ANSWER_SECONDS_MAX)
        return int(status.split()[1]), headers, body

    async def is_closed(self) -> bool:
        return await asyncio.wait_for(self.reader.read(), _ANSWER_SECONDS_MAX) == b""


@asynccontextmanager
async def wire(world: World) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


def get(document: ProductDocument, more: str = "", *, version: str = "1.1", method: str = "GET") -> str:
    return f"{method} /v1/products/{document.id} HTTP/{version}\nhost: localhost{more}"
