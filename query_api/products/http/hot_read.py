"""The hot read: answers a product by id from the caches in the HTTP protocol, before the framework. Lists are
added by `hot_lists.py`.

FastAPI costs at least 200 microseconds per request, and an ASGI application in front of it still a scope, a
task and two messages; the hot read answers from the callbacks of the HTTP parser. What is in the in-process
cache is answered while the parser runs; what is in Redis, when Redis has answered. A request that is not a
plain hit (absent, deleted, Redis unavailable, a write that is not there yet, another address, pipelined)
becomes an ordinary request of the application, whose route for the same address gives the same answer: one
test suite runs over both. The reasons are in docs/decisions/0005-product-reads-in-the-http-protocol.md.
"""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from query_api.products.http.hot_document import has_failed, is_hidden, live_document
from query_api.products.http.hot_durations import HotDurations
from query_api.products.http.hot_head import CACHE_FAILED, METHODS, HotHead
from query_api.products.http.hot_parts import HotParts
from query_api.products.http.hot_read_span import record_hot_read
from query_api.products.local_cache import LocalEntry
from shared.access.http.bearer import known_caller
from shared.access.scopes import Scope
from shared.contract.cached_document import CachedDocument
from shared.ops.http.early_answers import EarlyAnswersProtocol
from shared.rate_limits.budget import Decision
from shared.rate_limits.limits import TAKES, Takes
from shared.telemetry.tracing import is_tracing

ROUTE = "/v1/products/{product_id}"
_PREFIX = b"/v1/products/"
_PREFIX_LENGTH = len(_PREFIX)
_URL_LENGTH = _PREFIX_LENGTH + len("01920000-0000-7000-8000-000000000000")
_durations = HotDurations(ROUTE, METHODS, (200, 304))


class HotReadProtocol(EarlyAnswersProtocol):
    """One connection; a hot read is its early request."""

    early: HotHead | None

    def __init__(self, parts: HotParts, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._parts = parts
        self._entry: LocalEntry | None = None
        self._reading: asyncio.Future[bytes | None] | None = None
        self._takes: Takes = ()

    def on_headers_complete(self) -> None:
        """Begin a hot read, or make an ordinary request."""
        version = self.check_head()
        if not (self.is_idle() and self._begins_read(version)):
            self.make_request()

    def on_message_complete(self) -> None:
        """A hot read does not wait for a body. What is in this process is answered at once, unless the
        connection ends with it: the parser may have more of it.
        """
        head, entry = self.early, self._entry
        if head is None:
            super().on_message_complete()
            return
        self.count_body()
        if entry is not None and not self._takes:
            if head.is_kept_alive:
                self._finish(head, entry.document, entry, ())
            else:
                self.loop.call_soon(self._answer, None)

    def _begins_read(self, version: str) -> bool:
        """Only the length of the address is checked: a text that is not an id is a miss, and the application
        gets it.
        """
        url = self.url
        if len(url) != _URL_LENGTH or not url.startswith(_PREFIX):
            return False
        head = self._plain_head(version)
        if head is None:
            return False
        product_id = url[_PREFIX_LENGTH:].decode("ascii", "replace")
        if head.token is not None:
            reading = self._parts.writes.read(product_id, head)
            if reading is not None:
                self._start(head, reading)
            return reading is not None
        entry = self._parts.local.get(product_id)
        if entry is not None and is_hidden(head, entry.document):
            return False
        self._entry = entry
        self._start(head, self._parts.cache.read(product_id) if entry is None else None)
        return True

    def _plain_head(self, version: str) -> HotHead | None:
        """None: the answer depends on more than the address, or this caller may not read."""
        method = self.parser.get_method()
        if method not in METHODS:
            return None
        head = HotHead(self.parser, version, method)
        is_plain = head.reads_plainly(self.headers) and (self._parts.guard is None or self._lets_in(head))
        return head if is_plain else None

    def _lets_in(self, head: HotHead) -> bool:
        """Whether the token is a known one that may read; the application has the answer to all others."""
        assert self._parts.guard is not None
        head.caller = known_caller(self._parts.guard, self.headers)
        return head.caller is not None and head.caller.may(Scope.PRODUCTS_READ)

    def _start(self, head: HotHead, reading: "asyncio.Future[bytes | None] | None") -> None:
        self.count_head()
        self.early = head
        if self.is_leaving:
            self.close_after_answers()
        if reading is not None:
            self._reading = reading
            reading.add_done_callback(self._answer)
        if self._parts.rates.is_active:
            self._take(head)

    def _take(self, head: HotHead) -> None:
        """Count the read against the limits, in Redis in the same tick as the read of the cache."""
        peer = self.client[0] if self.client else None
        subject = None if head.caller is None else head.caller.subject
        self._takes = self._parts.rates.take(subject, self._parts.addresses.of(peer, self.headers))
        for each in self._takes:
            each.add_done_callback(self._answer)

    def _answer(self, _: "asyncio.Future[Any] | None") -> None:
        """A cache has answered, or has failed, or a limit has."""
        reading, head, takes = self._reading, self.early, self._takes
        if head is None or not all(each.done() for each in takes):
            return  # handed over meanwhile, or another answer is still due
        if reading is not None and not reading.done():
            return
        if self.transport.is_closing():
            self._forget()
            return
        decisions = [each.result() for each in takes]
        if not all(each.is_allowed for each in decisions) or not self._finish_read(head, decisions):
            self.hand_over()

    def _finish_read(self, head: HotHead, decisions: Sequence[Decision]) -> bool:
        """Send what was found; False: the application has to answer."""
        entry = self._entry
        document = entry.document if entry is not None else live_document(self._reading)
        if document is None or is_hidden(head, document):
            return False
        self._finish(head, document, entry, decisions)
        return True

    def _finish(
        self,
        head: HotHead,
        document: CachedDocument,
        entry: LocalEntry | None,
        decisions: Sequence[Decision],
    ) -> None:
        self._forget()
        status, answer = self._parts.answers.answer(
            head, document, entry, self.server_state.default_headers, self.answer_headers, decisions
        )
        self._send(head, status, answer, ROUTE, _durations)

    def _send(self, head: HotHead, status: int, answer: bytes, route: str, durations: HotDurations) -> None:
        self.write_answer(head, answer)
        seconds = perf_counter() - head.started
        durations.add(head.method, status, seconds, self.loop)
        if is_tracing():
            record_hot_read(head, route, self.url, status, seconds)

    def _forget(self) -> None:
        self._reading = self.early = self._entry = None
        self._takes = ()

    def hand_over(self) -> None:
        head = self.early
        if self._takes:
            self.scope[TAKES] = self._takes  # type: ignore[literal-required]
        if self._reading is not None and has_failed(self._reading):
            self.scope[CACHE_FAILED] = True  # type: ignore[literal-required]
        self._forget()
        with self.as_parsed(head):
            self.make_request()
            super().on_message_complete()
