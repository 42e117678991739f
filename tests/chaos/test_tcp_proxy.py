"""Each fault of the proxy does what its name says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest_asyncio

from deploy.local.ports import free_port
from tests.tcp_proxy import TcpProxy

PATIENCE_SECONDS = 60


class Echo:
    """A server that sends back what it is told, and remembers it."""

    def __init__(self) -> None:
        self.heard = b""
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while word := await reader.read(100):
            self.heard += word
            writer.write(word)
        writer.close()


@pytest_asyncio.fixture
async def echo() -> AsyncIterator[Echo]:
    made = Echo()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


@pytest_asyncio.fixture
async def proxy(echo: Echo) -> AsyncIterator[TcpProxy]:
    async with TcpProxy("127.0.0.1", echo.port) as made:
        yield made


async def must_be_over(reader: asyncio.StreamReader) -> None:
    """A close counts like a reset."""
    with suppress(ConnectionResetError):
        assert await reader.read(100) == b""


async def test_what_is_said_into_a_black_hole_arrives_when_it_ends(proxy: TcpProxy, echo: Echo) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        proxy.stall()
        writer.write(b"held")
        later, other = await asyncio.open_connection("127.0.0.1", proxy.port)
        other.write(b"held")
        answers = [asyncio.create_task(each.read(100)) for each in (reader, later)]
        done, _ = await asyncio.wait(answers, timeout=0.2)
        assert (done, echo.heard) == (set(), b"")
        proxy.flow()
        assert [await each for each in answers] == [b"held", b"held"]
        writer.close()
        other.close()


async def test_what_was_cut_in_a_black_hole_never_arrives(proxy: TcpProxy, echo: Echo) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"before")
        assert await reader.read(100) == b"before"
        proxy.stall()
        writer.write(b"lost")
        await asyncio.sleep(0)
        proxy.cut()
        await must_be_over(reader)
        proxy.flow()
        again, another = await asyncio.open_connection("127.0.0.1", proxy.port)
        another.write(b"after")
        assert await again.read(100) == b"after"
        assert echo.heard == b"beforeafter"
        writer.close()
        another.close()


async def test_a_server_that_is_away_is_away_behind_the_proxy_too() -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), TcpProxy("127.0.0.1", free_port()) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        await must_be_over(reader)
        writer.close()
