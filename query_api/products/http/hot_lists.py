"""Hot reads of lists and searches: a page from the memory of this process, if Redis or the search index says
that it is still right.

Everything that an address says is in the key of its page, so nothing is parsed or checked again. What else an
answer depends on makes it an ordinary request, as with products (`hot_read.py`).
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from query_api.products.http.hot_document import has_failed, sees_all
from query_api.products.http.hot_durations import HotDurations
from query_api.products.http.hot_head import METHODS, HotHead
from query_api.products.http.hot_read import HotReadProtocol
from query_api.products.kept_pages import KeptPage
from query_api.products.ports import ListGeneration
from shared.rate_limits.budget import Decision

ROUTE = "/v1/products"
_PATH = b"/v1/products"
_BEFORE_QUERY = len(_PATH) + 1
_durations = HotDurations(ROUTE, METHODS, (200,))


class HotListProtocol(HotReadProtocol):
    """One connection that also answers lists."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._page: KeptPage | None = None

    def _begins_read(self, version: str) -> bool:
        """A list, or a product."""
        url = self.url
        if url.startswith(_PATH) and url[len(_PATH) : _BEFORE_QUERY] in (b"", b"?"):
            return self._begins_list(version, url[_BEFORE_QUERY:])
        return super()._begins_read(version)

    def on_message_complete(self) -> None:
        """What nobody has to be asked about is answered now; all else waits for Redis."""
        super().on_message_complete()
        if self._page is not None and self._reading is None and not self._takes:
            self.loop.call_soon(self._answer, None)

    def _begins_list(self, version: str, query: bytes) -> bool:
        head = self._plain_head(version)
        if head is None or head.token is not None:
            return False
        page = self._parts.pages.get(query, sees_all=sees_all(head))
        if page is None:
            return False
        reading = None
        if isinstance(page.rightness, ListGeneration):
            reading = self._parts.lists.number(page.rightness.category)
        elif not self._parts.pages.is_right(page, self._parts.engine.mark):
            return False
        self._page = page
        self._start(head, reading)
        return True

    def _finish_read(self, head: HotHead, decisions: Sequence[Decision]) -> bool:
        page = self._page
        if page is None:
            return super()._finish_read(head, decisions)
        if not self._is_right(page, self._reading):
            return False
        self._finish_list(head, page, decisions)
        return True

    def _is_right(self, page: KeptPage, reading: "asyncio.Future[bytes | None] | None") -> bool:
        if reading is None:
            return True
        return not has_failed(reading) and self._parts.pages.is_right(page, reading.result())

    def _finish_list(self, head: HotHead, page: KeptPage, decisions: Sequence[Decision]) -> None:
        self._forget()
        answer = self._parts.answers.of_page(
            head,
            page,
            self._parts.pages.age_seconds(page.made_at),
            self.server_state.default_headers,
            self.answer_headers,
            decisions,
        )
        self._send(head, 200, answer, ROUTE, _durations)

    def _forget(self) -> None:
        super()._forget()
        self._page = None
