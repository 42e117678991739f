"""A receiver of webhooks, as a subscriber would write it, with the library of the specification."""

import asyncio
import json
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

from standardwebhooks import Webhook

from deploy.local.ports import HOST
from shared.ops.concurrency.waits import cancelled


class Received(NamedTuple):
    """One request; `body` as it came, `headers` with lower-case names."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> Any:
        return json.loads(self.body)

    @property
    def event(self) -> Any:
        """The CloudEvent in the message."""
        return self.message["data"]

    def verify(self, secret: str) -> Any:
        """Raises `WebhookVerificationError`."""
        return Webhook(secret).verify(self.body, dict(self.headers))


class Answering(NamedTuple):
    """What the receiver answers. `delay`: it waits for that first. `hangs_up`: it closes instead."""

    status: int = 204
    body: bytes = b""
    headers: Mapping[str, str] = {}
    delay: asyncio.Event | None = None
    hangs_up: bool = False


OK = Answering()


class Receiver:
    """`answer` decides; it may be replaced at any time. `taken` are the requests that got a 2xx."""

    def __init__(self) -> None:
        self.port = 0
        self.scheme = "http"
        self.received: list[Received] = []
        self.taken: list[Received] = []
        self.is_closing = asyncio.Event()
        self.answer: Callable[[Received], Answering] = lambda _: OK

    @property
    def url(self) -> str:
        return f"{self.scheme}://{HOST}:{self.port}/hook"

    def positions_by_product(self) -> Mapping[str, list[int]]:
        """Of what was taken, in the order in which it came."""
        found: dict[str, list[int]] = defaultdict(list)
        for each in self.taken:
            found[each.event["subject"]].append(int(each.event["position"]))
        return found

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                received = await _read(reader)
                if not await self._answer(received, writer):
                    break
        writer.close()

    async def _answer(self, received: Received, writer: asyncio.StreamWriter) -> bool:
        self.received.append(received)
        answering = self.answer(received)
        if answering.delay is not None:
            waits = [asyncio.create_task(each.wait()) for each in (answering.delay, self.is_closing)]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            await cancelled(*waits)
        if answering.hangs_up:
            return False
        if 200 <= answering.status < 300:
            self.taken.append(received)
        lines = [f"HTTP/1.1 {answering.status} Answer", f"content-length: {len(answering.body)}"]
        lines += [f"{name}: {value}" for name, value in answering.headers.items()]
        body = b"" if answering.status == 204 else answering.body
        head = [line for line in lines if answering.status != 204 or not line.startswith("content-length")]
        writer.write("\r\n".join([*head, "", ""]).encode() + body)
        await writer.drain()
        return True


@asynccontextmanager
async def webhook_receiver(tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """On a free port of this machine; over TLS with a server's context."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, HOST, 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    receiver.scheme = "http" if tls is None else "https"
    try:
        yield receiver
    finally:
        receiver.is_closing.set()
        server.close()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Received(first.split(" ")[1], headers, body)
