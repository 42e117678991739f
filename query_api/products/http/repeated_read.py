"""Hot reads of a client that repeats its head: answered without the parser.

While Redis is asked, the bytes of the head are kept. If the application has to answer after all, or more
arrives, the parser gets them.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

from query_api.products.http.hot_document import has_failed, is_hidden
from query_api.products.http.hot_head import CACHE_FAILED
from query_api.products.http.hot_lists import HotListProtocol
from query_api.products.http.hot_parts import HotParts
from query_api.products.http.repeated_head import RepeatedHead, repeatable
from shared.telemetry.tracing import is_tracing


def hot_read_protocol(parts: HotParts) -> Callable[..., asyncio.Protocol]:
    """The protocol class from which `HttpServer` makes connections."""
    return partial(RepeatedReadProtocol, parts)


class RepeatedReadProtocol(HotListProtocol):
    """Everything but a repeated head is a matter of the parser."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._data = b""
        self._repeated: RepeatedHead | None = None
        self._unparsed = b""
        self._is_for_application = self._has_cache_failed = False

    def data_received(self, data: bytes) -> None:
        """Answer, ask Redis, or parse."""
        if self._unparsed:
            self.hand_over()
        elif self._repeated is not None and self._repeats(self._repeated, data):
            return
        # The rest of a head that began before, or of a body, is no head.
        self._data = b"" if self.head_is_open or self.body_is_open else data
        super().data_received(data)

    def on_message_complete(self) -> None:
        """Remember the head of a read of one product without a token, that waits for nothing or for Redis."""
        head, is_of_product = self.early, self._page is None
        super().on_message_complete()
        if head is not None and is_of_product and head.token is None and not self._takes:
            self._repeated = repeatable(self._data, head, self.headers)

    def _repeats(self, repeated: RepeatedHead, data: bytes) -> bool:
        """Whether this is a repeated head, and what was asked for is at hand or on its way."""
        product_id = repeated.id_in(data)
        if product_id is None or not self._is_at_rest():
            return False
        head = repeated.head
        if self._parts.guard is not None:
            # The caller is checked each time: a token ends.
            self.headers = repeated.headers
            if not self._lets_in(head):
                return False
        head.started = perf_counter()
        entry = self._parts.local.get(product_id)
        if entry is None:
            self._unset_keepalive_if_required()
            self._unparsed = data
            self._start(head, self._parts.cache.read(product_id))
            self.count_body()
        elif is_hidden(head, entry.document):
            return False
        else:
            self._finish(head, entry.document, entry, ())
        return True

    def _begins_read(self, version: str) -> bool:
        if not self._is_for_application:
            return super()._begins_read(version)
        if self._has_cache_failed:
            self.scope[CACHE_FAILED] = True  # type: ignore[literal-required]
        return False

    def hand_over(self) -> None:
        """Of a head that was not parsed, make an ordinary request now, as of the others."""
        data, head, reading = self._unparsed, self.early, self._reading
        if not data or head is None:
            super().hand_over()
            return
        self._has_cache_failed = reading is not None and has_failed(reading)
        self._forget()
        self._is_for_application = True
        try:
            # Not `data_received`: the client may have said that it sends no more.
            self._feed(data)
        finally:
            self._is_for_application = False
        if not head.is_kept_alive and self.is_answering():
            self.close_after_answers()

    def _forget(self) -> None:
        super()._forget()
        self._unparsed = b""

    def _is_at_rest(self) -> bool:
        """True between two requests of a connection that goes on."""
        return not (
            self.head_is_open
            or self.body_is_open
            or self.is_deaf
            or self.is_leaving
            or self.early is not None
            or is_tracing()
            or self.transport.is_closing()
            or not self.is_idle()
        )
