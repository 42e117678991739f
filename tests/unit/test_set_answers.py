"""Answers to many SETs at once, from a server that says what the test wants, in pieces of any size."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from redis.asyncio.connection import Connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from deploy.local.ports import HOST
from shared.redis.set_answers import refused_sets

OK = b"+OK\r\n"
FULL = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"
MOVED = b"-MOVED 3999 127.0.0.1:6381\r\n"
Speaking = Callable[[asyncio.StreamWriter], Coroutine[Any, Any, None]]


@asynccontextmanager
async def connected_to(speak: Speaking) -> AsyncIterator[Connection]:
    came: list[asyncio.StreamWriter] = []

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer)
        await speak(writer)

    server = await asyncio.start_server(accept, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    connection = Connection(host=HOST, port=port, socket_timeout=60)
    connection._reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield connection
    finally:
        for each in (writer, *came):
            each.close()
            with suppress(OSError):
                await each.wait_closed()
        server.close()


def saying(data: bytes, *, piece_bytes: int = 1_000) -> Speaking:
    async def speak(writer: asyncio.StreamWriter) -> None:
        for start in range(0, len(data), piece_bytes):
            writer.write(data[start : start + piece_bytes])
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()

    return speak


@pytest.mark.parametrize("piece_bytes", [1, 3, 7, 1_000])
@pytest.mark.parametrize(
    ("answers", "refused"),
    [
        ([OK] * 5, []),
        ([FULL] * 3, [0, 1, 2]),
        ([OK, FULL, OK, MOVED, OK, OK], [1, 3]),
        ([OK, OK, OK, FULL], [3]),
        ([b"-ERR\r\n", OK], [0]),
    ],
)
async def test_it_is_told_which_were_refused(
    answers: list[bytes], refused: list[int], piece_bytes: int
) -> None:
    async with connected_to(saying(b"".join(answers), piece_bytes=piece_bytes)) as connection:
        assert list(await refused_sets(connection, len(answers))) == refused


@pytest.mark.parametrize("data", [b"", OK * 3 + b"+O", OK * 2 + FULL[:-2], FULL * 3])
async def test_a_connection_that_ends_too_early_is_lost(data: bytes) -> None:
    async with connected_to(saying(data)) as connection:
        with pytest.raises(RedisConnectionError, match="in bulk"):
            await refused_sets(connection, 4)


async def test_a_server_that_hangs_is_not_waited_for_without_end() -> None:
    async def speak(writer: asyncio.StreamWriter) -> None:
        writer.write(OK)

    async with connected_to(speak) as connection:
        connection.socket_timeout = 0.01
        with pytest.raises(RedisTimeoutError, match="in bulk"):
            await refused_sets(connection, 2)
