"""The answer of an export: it ends cleanly only if it is whole.

Its head has gone out before the first document is read, so an error in the middle has no status. The answer
is then left without its last chunk, and the connection ends: HTTP clients report that (RFC 9112, 8).
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Literal

from starlette.responses import Response

from query_api.errors import Unavailable
from query_api.export.export import TooSlow
from query_api.export.formats import Format
from query_api.export.ports import Sink
from query_api.http.content_coding import Compressor
from shared.ops.http.asgi import ClientLeft, Receive, Scope, Send
from shared.ops.http.request_layer import IS_STREAM
from shared.ops.logs import get_logger
from shared.ops.metrics.reads import EXPORTS
from shared.ops.overload.place import resting

# Smaller pieces are collected: each one costs a chunk, and a thread's turn for its compression.
PIECE_BYTES_MIN = 64 * 1024
_log = get_logger(__name__)
Outcome = Literal["complete", "left", "cut"]


class ExportAnswer(Response):
    """Sends what `documents` gives to its sink, then closes `held`, the snapshot."""

    def __init__(
        self,
        headers: dict[str, str],
        held: AsyncExitStack,
        documents: Callable[[Sink], Awaitable[None]],
        wanted: Format,
        compressor: Compressor,
    ) -> None:
        super().__init__(status_code=200)
        self.raw_headers = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        self._held = held
        self._documents = documents
        self._format = wanted
        self._compressor = compressor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        scope[IS_STREAM] = True
        body = _Body(send, self._compressor)
        # The snapshot is closed before the end is sent: who has one export may begin the next.
        async with self._held:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            if scope["method"] == "HEAD":
                outcome = None
            else:
                # The place in the work queue is for others: the client and PostgreSQL do most of the work.
                with resting():
                    outcome = await self._send_all(receive, body)
        if outcome is None:
            await send({"type": "http.response.body", "body": b""})
            return
        EXPORTS.labels(self._format.name, outcome).inc()
        if outcome == "complete":
            await body.end()

    async def _send_all(self, receive: Receive, body: "_Body") -> Outcome:
        sending = asyncio.create_task(self._send_documents(body))
        leaving = asyncio.create_task(_until_client_leaves(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                return "left"
            await sending
        except ClientLeft:
            return "left"
        except (Unavailable, TooSlow) as error:
            _log.warning("export cut off", error=str(error))
            return "cut"
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
        return "complete"

    async def _send_documents(self, body: "_Body") -> None:
        if self._format.start:
            await body.add(self._format.start)

        async def take(lines: bytes) -> None:
            await body.add(self._format.rows(lines))

        await self._documents(take)
        await body.finish()


class _Body:
    """Pieces on their way to the client. `send` returns when the connection takes more."""

    def __init__(self, send: Send, compressor: Compressor) -> None:
        self._send = send
        self._compressor = compressor
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._has_begun = False

    async def add(self, piece: bytes) -> None:
        self._waiting.append(piece)
        self._waiting_bytes += len(piece)
        if self._waiting_bytes >= PIECE_BYTES_MIN or not self._has_begun:
            await self._pass_on(self._first if not self._has_begun else self._compressor.compress)

    async def finish(self) -> None:
        """All that is left, but the end: an answer without it is not whole."""
        await self._pass_on(lambda piece: self._compressor.compress(piece) + self._compressor.finish())

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def _first(self, piece: bytes) -> bytes:
        self._has_begun = True
        return self._compressor.compress(piece) + self._compressor.flush()

    async def _pass_on(self, compress: Callable[[bytes], bytes]) -> None:
        piece = b"".join(self._waiting)
        self._waiting, self._waiting_bytes = [], 0
        # A thread's turn costs as much as all the rest of a piece that is not compressed.
        is_slow = self._compressor.takes_time
        if body := await asyncio.to_thread(compress, piece) if is_slow else compress(piece):
            try:
                await self._send({"type": "http.response.body", "body": body, "more_body": True})
            except OSError as error:
                raise ClientLeft from error


async def _until_client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
