"""Gives each new connection to one of several servers, in turn; a server can be taken out while others serve.

As in front of pods: what is taken out gets no new connection, and those that it has may end.
"""

import asyncio
import itertools
from contextlib import suppress

from tests.eventually import eventually

_CHUNK_BYTES = 65_536


class Balancer:
    """`async with Balancer(ports) as balancer:` listens on `.port`. All servers are in use at first."""

    def __init__(self, ports: list[int]) -> None:
        self.port = 0
        self._open = dict.fromkeys(ports, 0)
        """Server -> its open connections."""
        self._in_use = list(ports)
        self._turns = itertools.count()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "Balancer":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def take_out(self, port: int) -> None:
        """No new connection for this server; returns when it has none left."""
        self._in_use.remove(port)
        assert self._in_use, "a balancer without a server answers nobody"

        def has_none_left() -> None:
            assert self._open[port] == 0, f"{self._open[port]} connections of port {port} are open"

        await eventually(has_none_left)

    def put_in(self, port: int) -> None:
        """It gets its turn again."""
        self._in_use.append(port)

    async def _accept(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        port = self._in_use[next(self._turns) % len(self._in_use)]
        self._open[port] += 1
        try:
            server, to_server = await asyncio.open_connection("127.0.0.1", port)
            try:
                await asyncio.gather(_pump(client, to_server), _pump(server, to_client))
            finally:
                to_server.transport.abort()
        except OSError:
            pass  # the client finds a closed connection, as it would without a balancer
        finally:
            self._open[port] -= 1
            to_client.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await source.read(_CHUNK_BYTES):
            sink.write(chunk)
            await sink.drain()
    with suppress(OSError):
        if sink.can_write_eof():
            sink.write_eof()
