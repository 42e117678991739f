"""A TCP proxy that can break: it cuts its connections, swallows what is said, stalls, or refuses new ones."""

import asyncio
from contextlib import suppress

_CHUNK_BYTES = 65_536


class TcpProxy:
    """`async with TcpProxy(host, port) as proxy:` listens on `proxy.port` and forwards both ways."""

    def __init__(self, host: str, port: int, *, listen_port: int = 0) -> None:
        self.port = listen_port
        self.is_refusing = False
        self.cuts_at_request = False
        self.cuts_at_answer = False
        self.answer_bytes_left: int | None = None
        """Until all connections are cut; None: they are not. `ends_softly`: without a reset."""
        self.ends_softly = False
        self._target = (host, port)
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "TcpProxy":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.flow()
        self.cut()
        if self._pumps:
            await asyncio.wait(self._pumps)
        await self._server.wait_closed()

    def cut(self) -> None:
        """Break every connection at once, without a goodbye."""
        for writer in list(self._writers):
            writer.transport.abort()

    def _end(self) -> None:
        self.answer_bytes_left = None
        if not self.ends_softly:
            self.cut()
            return
        for writer in list(self._writers):
            writer.close()

    def stall(self) -> None:
        """A black hole: connections stay, new ones are made, nothing comes through until `flow`."""
        self._flows.clear()

    def flow(self) -> None:
        """After `stall`: what was said meanwhile arrives now, unless its connection has been given up."""
        self._flows.set()

    async def _accept(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        if self.is_refusing:
            to_client.transport.abort()
            return
        try:
            server, to_server = await asyncio.open_connection(*self._target)
        except OSError:
            to_client.transport.abort()  # nobody listens there: as near to a refusal as a proxy can come
            return
        self._writers |= {to_client, to_server}
        for source, sink, is_request in ((client, to_server, True), (server, to_client, False)):
            task = asyncio.create_task(self._pump(source, sink, is_request=is_request))
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_request: bool
    ) -> None:
        with suppress(OSError):
            while chunk := await source.read(_CHUNK_BYTES):
                await self._flows.wait()
                if self.cuts_at_request if is_request else self.cuts_at_answer:
                    # Before the server hears of it, or after it has done it and before the client learns.
                    self.cuts_at_request = self.cuts_at_answer = False
                    self.cut()
                    break
                if not is_request and self.answer_bytes_left is not None:
                    chunk, more = chunk[: self.answer_bytes_left], chunk[self.answer_bytes_left :]
                    self.answer_bytes_left -= len(chunk)
                    sink.write(chunk)
                    await sink.drain()
                    if more or not self.answer_bytes_left:
                        self._end()
                        break
                    continue
                sink.write(chunk)
                await sink.drain()
        sink.transport.abort()
        self._writers.discard(sink)
