"""ASGI's types and a whole answer, for the server, the operations port and problem answers."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Handler = ASGIApp
Headers = Iterable[tuple[bytes, bytes]]


class ClientLeft(Exception):
    """The client ended the connection in the middle of its request, or was cut off: no client waits for an
    answer.
    """


def with_headers(send: Send, more: Headers) -> Send:
    """`send` that adds these headers to the answer."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *more]
        await send(message)

    return send_with_headers


async def respond(
    scope: Scope, send: Send, status: int, content_type: str, body: bytes, headers: Headers = ()
) -> None:
    """Send one complete answer; a HEAD request gets the same headers, the length included, and no body."""
    start = [
        (b"content-type", content_type.encode("latin-1")),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
