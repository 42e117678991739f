"""TLS in front of a server that was built without it: it decrypts, and passes the rest on.

The wheels' PostgreSQL and Redis have no OpenSSL. A PostgreSQL client asks for TLS in the clear first, so the
front answers that, and refuses a client that does not ask as a server with `hostssl` lines alone would.
"""

import asyncio
import ssl
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import Self

_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
_CHUNK_BYTES = 65_536
_HOST = "127.0.0.1"


class TlsFront:
    """`with TlsFront(port, context) as front:` listens on `front.port`, in a thread of its own.

    `cut` ends all connections; `context` may be replaced, for the next ones. `requires_client` is for a
    PostgreSQL: it lets a client without a certificate in, and then refuses it in words.
    """

    def __init__(self, target_port: int, context: ssl.SSLContext, *, is_postgres: bool = False) -> None:
        self.port = 0
        self.context = context
        self.requires_client = False
        self._target_port = target_port
        self._is_postgres = is_postgres
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._open: set[asyncio.StreamWriter] = set()
        self._handlers: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen()).result()
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._end()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Without a goodbye."""
        self._call(self._cut()).result()

    def _call(self, work: "asyncio.coroutines.Coroutine[None, None, None]") -> "Future[None]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, _HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._cut()
        if self._handlers:
            await asyncio.wait(self._handlers)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        task.add_done_callback(self._handlers.discard)
        self._open.add(writer)
        # Whatever goes wrong is the client's to report: that is what the tests look at.
        with suppress(OSError, asyncio.IncompleteReadError):
            if self._is_postgres and await reader.readexactly(8) != _SSL_REQUEST:
                await _refuse(writer, "no pg_hba.conf entry, no encryption")
                return
            if self._is_postgres:
                writer.write(b"S")
            await writer.start_tls(self.context)
            if self._is_postgres and self.requires_client and not writer.get_extra_info("peercert"):
                await _refuse(writer, "connection requires a valid client certificate")
                return
            server, to_server = await asyncio.open_connection(_HOST, self._target_port)
            self._open.add(to_server)
            await asyncio.gather(self._pump(reader, to_server), self._pump(server, writer))
        writer.transport.abort()
        self._open.discard(writer)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await source.read(_CHUNK_BYTES):
                sink.write(chunk)
                await sink.drain()
        sink.transport.abort()
        self._open.discard(sink)


async def _refuse(writer: asyncio.StreamWriter, reason: str) -> None:
    """With PostgreSQL's own words."""
    message = f"SFATAL\0VFATAL\0C28000\0M{reason}\0\0".encode()
    writer.write(b"E" + (len(message) + 4).to_bytes(4, "big") + message)
    await writer.drain()
    writer.close()
