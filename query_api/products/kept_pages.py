"""Pages of lists in the memory of this process, by the exact address that was asked for.

A page is used only while its generation is the present one, which is read from Redis for every request: so a
list is never older than from Redis. What is saved is everything else, that is the framework, the check of
the parameters, and the page's way from Redis. A page lives as long as one in Redis at most.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from query_api.products.ports import ListGeneration
from shared.ops.metrics.local_cache import LOCAL_LIST_CACHE_BYTES, LOCAL_LIST_CACHE_REQUESTS

# A page's objects, its address and headers, and its place in the table.
OVERHEAD_BYTES = 4000
_hits = LOCAL_LIST_CACHE_REQUESTS.labels("hit")
_misses = LOCAL_LIST_CACHE_REQUESTS.labels("miss")
_changed = LOCAL_LIST_CACHE_REQUESTS.labels("changed")


class KeptPage:
    """An answer, with the headers that depend on the page alone; `lines` is free for them as bytes, which
    HTTP makes once. `is_everybodys` False: it needs the scope for drafts. `made_at` is in Unix seconds.
    """

    __slots__ = ("body", "generation", "headers", "is_everybodys", "lines", "made_at", "size_bytes")

    def __init__(
        self,
        body: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        generation: ListGeneration,
        made_at: float,
        *,
        is_everybodys: bool,
    ) -> None:
        self.body = body
        self.headers = headers
        self.lines = b""
        self.generation = generation
        self.made_at = made_at
        self.is_everybodys = is_everybodys
        self.size_bytes = len(body) + OVERHEAD_BYTES


class KeptPages:
    """Bounded by bytes; `bytes_max` 0: keeps nothing. For one event loop.

    Lives are so short that the oldest page is also the next to end: it makes room.
    """

    def __init__(self, *, bytes_max: int, ttl_seconds: float, now: Callable[[], float] = time.time) -> None:
        self._bytes_max = bytes_max
        self._ttl_seconds = ttl_seconds
        self._now = now
        self._pages: OrderedDict[bytes, KeptPage] = OrderedDict()
        self._bytes = 0
        LOCAL_LIST_CACHE_BYTES.set_function(lambda: self._bytes)

    def get(self, query: bytes) -> KeptPage | None:
        """The page of this query string, if it has not ended."""
        page = self._pages.get(query)
        # A page from a clock that is ahead of this one has no age yet, and no end.
        if page is not None and 0 <= self._now() - page.made_at < self._ttl_seconds:
            return page
        if self._bytes_max:
            _misses.inc()
        return None

    def age_seconds(self, page: KeptPage) -> int:
        """Whole seconds."""
        return max(0, int(self._now() - page.made_at))

    def is_present(self, query: bytes, page: KeptPage, number: bytes | None) -> bool:
        """Whether the page is of the generation whose number is this one now; otherwise it goes."""
        if number == page.generation.number:
            _hits.inc()
            return True
        _changed.inc()
        if self._pages.get(query) is page:
            self._drop(query)
        return False

    def keep(self, query: bytes, page: KeptPage) -> None:
        """Instead of the page that this query string had."""
        if page.size_bytes > self._bytes_max:
            return
        self._drop(query)
        self._pages[query] = page
        self._bytes += page.size_bytes
        while self._bytes > self._bytes_max:
            self._drop(next(iter(self._pages)))

    def _drop(self, query: bytes) -> None:
        page = self._pages.pop(query, None)
        if page is not None:
            self._bytes -= page.size_bytes
