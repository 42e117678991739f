"""Stand-ins for pods that show what reaches them, served by the server of our processes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from deploy.local.ports import HOST
from shared.ops.http.asgi import Receive, Scope, Send
from shared.ops.http.limits import ConnectionLimits
from shared.ops.http.server import HttpServer


class EchoPod:
    """Answers each request with what it got. `/stream` sends a line, and the second one after `go_on` is set;
    `/stream?marked` says with X-Accel-Buffering that it is a stream.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self.go_on = asyncio.Event()
        self.address = ""
        self.requests = 0
        self.clients: set[tuple[str, int]] = set()
        """The connections that requests came by."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests += 1
        self.clients.add(scope["client"])
        body = await _body(receive)
        if scope["path"] == "/stream":
            await self._stream(scope, send)
            return
        headers = [[name.decode(), value.decode()] for name, value in scope["headers"]]
        seen = {
            "service": self.service,
            "method": scope["method"],
            "target": scope["raw_path"].decode(),
            "headers": headers,
            "body_bytes": len(body),
        }
        await _start(send, [(b"content-type", b"application/json"), (b"etag", b'"7"')])
        await send({"type": "http.response.body", "body": json.dumps(seen).encode()})

    async def _stream(self, scope: Scope, send: Send) -> None:
        is_marked = scope["query_string"] == b"marked"
        mark = [(b"x-accel-buffering", b"no")] if is_marked else []
        await _start(send, [(b"content-type", b"text/event-stream"), *mark])
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        await self.go_on.wait()
        await send({"type": "http.response.body", "body": b"data: 2\n\n", "more_body": False})


@asynccontextmanager
async def echo_pods(*services: str) -> AsyncIterator[dict[str, EchoPod]]:
    """One pod of each Service, while the block runs."""
    pods = {service: EchoPod(service) for service in services}
    limits = ConnectionLimits()
    async with AsyncExitStack() as stack:
        for pod in pods.values():
            server = HttpServer(pod, host=HOST, port=0, port_setting="none", limits=limits)
            await server.start()
            stack.push_async_callback(server.stop, 5.0)
            pod.address = f"{HOST}:{server.port}"
        yield pods


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message: dict[str, Any] = dict(await receive())
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _start(send: Send, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": headers})
