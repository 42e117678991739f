"""The hot read, answered where the bytes arrive: a product by id that stands in Redis.

FastAPI costs about 200 microseconds a request whatever it does, and an ASGI application in front of it still
a scope, a task and two messages; this is answered from the HTTP parser's own callbacks. Whatever is not a
plain hit (absent, deleted, Redis away, a Consistency-Token, another address, a pipelined follower) becomes an
ordinary request of the application, whose route for the same address gives the same answer: one test suite
runs over both. Why here: docs/decisions/0005-product-reads-in-the-http-protocol.md.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

from query_api.products.http.product_answer import product_answer
from query_api.products.ports import ProductCache
from shared.contract.cached_document import CachedDocument, unpack
from shared.ops.http.problem import Problem
from shared.ops.http.protocol import BoundedHttpProtocol
from shared.ops.http.request_context import request_id_of
from shared.ops.metrics import HTTP_REQUEST_DURATION_SECONDS

ROUTE = "/v1/products/{product_id}"
_PREFIX = b"/v1/products/"
_PREFIX_LENGTH = len(_PREFIX)
_URL_LENGTH = _PREFIX_LENGTH + len("01920000-0000-7000-8000-000000000000")
_METHODS = (b"GET", b"HEAD")
_STATUS_LINES = {200: b"HTTP/1.1 200 OK\r\n", 304: b"HTTP/1.1 304 Not Modified\r\n"}
# Their presence says that the answer depends on more than the document, or that a body follows.
_NOT_PLAIN = frozenset(
    {b"consistency-token", b"content-length", b"transfer-encoding", b"expect", b"upgrade", b"if-match"}
)
# Bound once: looking a child up by its labels costs more than counting.
_durations = {
    (method, status): HTTP_REQUEST_DURATION_SECONDS.labels(method.decode(), ROUTE, str(status)).observe
    for method in _METHODS
    for status in _STATUS_LINES
}


def hot_read_protocol(cache: ProductCache) -> Callable[..., asyncio.Protocol]:
    """What `HttpServer` makes a connection of."""
    return partial(HotReadProtocol, cache)


class _Head:
    """The parser's facts about a complete head, kept because the parser goes on to the next request."""

    __slots__ = ("_http_version", "is_kept_alive", "method", "request_id", "started", "tags")

    def __init__(self, parser: Any, http_version: str, method: bytes) -> None:
        self.method = method
        self.started = perf_counter()
        self.request_id: bytes | None = None
        self.tags: bytes | None = None
        self._http_version = http_version
        self.is_kept_alive: bool = http_version != "1.0" and parser.should_keep_alive()

    def reads_plainly(self, headers: list[tuple[bytes, bytes]]) -> bool:
        """Keep the headers that the answer depends on; false where the application has to answer."""
        for name, value in headers:
            if name == b"x-request-id":
                self.request_id = value
            elif name == b"if-none-match":
                self.tags = value if self.tags is None else self.tags + b"," + value
            elif name in _NOT_PLAIN:
                return False
        return True

    # uvicorn asks these of its parser when it makes a request of a head.

    def get_http_version(self) -> str:
        return self._http_version

    def get_method(self) -> bytes:
        return self.method

    def should_keep_alive(self) -> bool:
        return self.is_kept_alive

    def should_upgrade(self) -> bool:
        return False


class HotReadProtocol(BoundedHttpProtocol):
    """One connection. At most one hot read is under way on it, and no other request beside it."""

    def __init__(self, cache: ProductCache, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._cache = cache
        self._reading: asyncio.Future[bytes | None] | None = None
        self._head: _Head | None = None

    def on_message_begin(self) -> None:
        """A pipelined request: uvicorn keeps the order of answers, so it gets the request before, too."""
        if self._reading is not None:
            self._hand_over()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Only the length of the address is checked: what is not an id is a miss, and handed over."""
        version = self.check_head()
        url = self.url
        if len(url) == _URL_LENGTH and url.startswith(_PREFIX) and self._is_idle():
            method = self.parser.get_method()
            if method in _METHODS:
                head = _Head(self.parser, version, method)
                if head.reads_plainly(self.headers):
                    self.count_head()
                    self._head = head
                    self._reading = self._cache.read(url[_PREFIX_LENGTH:].decode("ascii", "replace"))
                    self._reading.add_done_callback(self._answer)
                    return
        self.make_request()

    def on_message_complete(self) -> None:
        """A hot read has no body to wait for."""
        if self._reading is None:
            super().on_message_complete()
        else:
            self.count_body()

    def shutdown(self) -> None:
        """The server stops: a read under way is answered, then its connection closes."""
        if self._head is not None:
            self._head.is_kept_alive = False
        else:
            super().shutdown()

    def is_answering(self) -> bool:
        """A read is an answer that is due, too."""
        return self._reading is not None or super().is_answering()

    def close_after_answers(self) -> None:
        """Of a read, before it becomes anything else."""
        if self._head is not None:
            self._head.is_kept_alive = False
        else:
            super().close_after_answers()

    def refuse(self, problem: Problem) -> None:
        """The read before it is answered first, in the order that uvicorn keeps."""
        if self._reading is not None:
            self._hand_over()
        super().refuse(problem)

    def _is_idle(self) -> bool:
        """Nothing is being answered, and the client takes what it is sent."""
        return (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused

    def _answer(self, reading: "asyncio.Future[bytes | None]") -> None:
        """The cache has answered, or refused to."""
        if reading is not self._reading or self._head is None:
            return  # handed over meanwhile
        if self.transport.is_closing():
            self._reading = self._head = None
            return
        document = _live_document(reading)
        if document is None:
            self._hand_over()
            return
        head, self._reading, self._head = self._head, None, None
        status = self._write(head, document)
        self.server_state.total_requests += 1
        if head.is_kept_alive:
            self.close_unless_head_arrives()
        else:
            self.close_after_reading()
        _durations[head.method, status](perf_counter() - head.started)

    def _write(self, head: _Head, document: CachedDocument) -> int:
        """The whole answer in one piece; its status."""
        status, headers, body = product_answer(
            document.stream_version,
            document.body,
            "hit",
            is_head=head.method == b"HEAD",
            if_none_match=head.tags,
        )
        parts = [_STATUS_LINES[status]]
        for name, value in self.server_state.default_headers:
            parts += (name, b": ", value, b"\r\n")
        for name, value in headers:
            parts += (name, b": ", value, b"\r\n")
        parts += (b"x-request-id: ", request_id_of(head.request_id), b"\r\n")
        if not head.is_kept_alive:
            parts.append(b"connection: close\r\n")
        parts += (b"\r\n", body)
        self.transport.write(b"".join(parts))
        return status

    def _hand_over(self) -> None:
        """Make it an ordinary request. The parser may be in the next one, so `head` stands in for it."""
        head: Any = self._head
        self._reading = self._head = None
        parser, self.parser = self.parser, head
        try:
            self.make_request()
            super().on_message_complete()
        finally:
            self.parser = parser


def _live_document(reading: "asyncio.Future[bytes | None]") -> CachedDocument | None:
    """None where the application has to answer; it meets an error of the cache again, and handles it."""
    if reading.cancelled() or reading.exception() is not None:
        return None
    packed = reading.result()
    if packed is None:
        return None
    try:
        document = unpack(packed)
    except ValueError:
        return None
    return None if document.is_deleted else document
