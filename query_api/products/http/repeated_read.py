"""Hot reads of a client that repeats its head: answered without the parser, from the in-process cache."""

import asyncio
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

from query_api.products.http.hot_document import is_hidden
from query_api.products.http.hot_lists import HotListProtocol
from query_api.products.http.hot_parts import HotParts
from query_api.products.http.repeated_head import RepeatedHead, repeatable
from query_api.products.local_cache import LocalEntry
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

    def data_received(self, data: bytes) -> None:
        """Answer at once, or parse."""
        repeated = self._repeated
        if repeated is not None and (product_id := repeated.id_in(data)) is not None and self._is_at_rest():
            head = repeated.head
            head.started = perf_counter()
            entry = self._kept(product_id, repeated)
            if entry is not None and not entry.document.is_deleted and not is_hidden(head, entry.document):
                self._finish(head, entry.document, entry, ())
                return
        # The rest of a head that began before, or of a body, is no head.
        self._data = b"" if self.head_is_open or self.body_is_open else data
        super().data_received(data)

    def on_message_complete(self) -> None:
        """Remember a head that was answered from this process, in the same call."""
        head, entry = self._head, self._entry
        super().on_message_complete()
        if head is not None and entry is not None and self._head is None:
            self._repeated = repeatable(self._data, head, self.headers)

    def _kept(self, product_id: str, repeated: RepeatedHead) -> LocalEntry | None:
        """The caller is checked each time: a token ends."""
        if self._parts.guard is not None:
            self.headers = repeated.headers
            if not self._lets_in(repeated.head):
                return None
        return self._parts.local.get(product_id, counts_miss=False)

    def _is_at_rest(self) -> bool:
        """True between two requests of a connection that goes on."""
        return not (
            self.head_is_open
            or self.body_is_open
            or self.is_deaf
            or self.is_leaving
            or self._head is not None
            or is_tracing()
            or self.transport.is_closing()
            or not self._is_idle()
        )
