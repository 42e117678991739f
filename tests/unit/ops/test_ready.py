"""The health check of a container says what /readyz of the operations port says."""

import asyncio
import socket
import sys

import pytest

from shared.ops import ready
from shared.ops.health import Health
from shared.ops.http.limits import ConnectionLimits
from shared.ops.http.operations import operations_app
from shared.ops.http.server import HttpServer
from tests.architecture.source_files import ROOT


async def test_the_exit_code_is_the_answer() -> None:
    health = Health("relay")
    limits = ConnectionLimits()
    server = HttpServer(operations_app(health), host="127.0.0.1", port=0, port_setting="none", limits=limits)
    await server.start()
    try:
        assert await _exit_code(server.port) == 0
        health.drain()
        assert await _exit_code(server.port) == 1
    finally:
        await server.stop(5.0)


async def _exit_code(port: int) -> int | None:
    command = [sys.executable, "-S", "-m", ready.__name__, str(port)]
    return await (await asyncio.create_subprocess_exec(*command, cwd=ROOT)).wait()


async def test_an_end_without_an_answer_is_not_ready() -> None:
    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(close, "127.0.0.1", 0) as listening:
        assert not await asyncio.to_thread(ready.is_ready, listening.sockets[0].getsockname()[1])


def test_nobody_there_is_not_ready() -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        ready.is_ready(port)
