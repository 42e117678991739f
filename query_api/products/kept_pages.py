"""Pages of lists and searches in the memory of this process, by the exact address that was asked for.

A page of the table is used only while its generation is the present one, which is read from Redis for every
request: so a list is never older than from Redis. A page of the search index is used until the index's next
commit. What is saved is everything else: the framework, the check of the parameters, the search, and the
documents' way from Redis. No page lives longer than one in Redis.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from query_api.products.ports import ListGeneration
from shared.ops.metrics.local_cache import LOCAL_LIST_CACHE_BYTES, LOCAL_LIST_CACHE_REQUESTS

# A page's objects, the short ones of its headers, and its place in the table.
OVERHEAD_BYTES = 4000
# In the key of its page, in the link to the next one, and in the lines of the answer.
_COPIES_OF_QUERY = 3
_hits = LOCAL_LIST_CACHE_REQUESTS.labels("hit")
_misses = LOCAL_LIST_CACHE_REQUESTS.labels("miss")
_changed = LOCAL_LIST_CACHE_REQUESTS.labels("changed")


class KeptPage:
    """An answer, with the headers that depend on the page alone; `lines` is free for them as bytes, which
    HTTP makes once. `rightness` is the generation of the lists, or the mark of the index (`SearchEngine`).
    `made_at` is in Unix seconds; `size_bytes` is known from when it is kept.
    """

    __slots__ = ("body", "headers", "lines", "made_at", "rightness", "size_bytes")

    def __init__(
        self,
        body: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        rightness: ListGeneration | object,
        made_at: float,
    ) -> None:
        self.body = body
        self.headers = headers
        self.lines = b""
        self.rightness = rightness
        self.made_at = made_at
        self.size_bytes = 0


class KeptPages:
    """Bounded by bytes; `bytes_max` 0: keeps nothing. For one event loop.

    Lives are so short that the oldest page is also the next to end: it makes room.
    """

    def __init__(self, *, bytes_max: int, ttl_seconds: float, now: Callable[[], float] = time.time) -> None:
        self._bytes_max = bytes_max
        self._ttl_seconds = ttl_seconds
        self._now = now
        self._pages: OrderedDict[tuple[bytes, bool], KeptPage] = OrderedDict()
        self._bytes = 0
        LOCAL_LIST_CACHE_BYTES.set_function(lambda: self._bytes)

    def get(self, query: bytes, *, sees_all: bool) -> KeptPage | None:
        """The page of this query string, if it has not ended. `sees_all`: for callers who may see drafts."""
        page = self._pages.get((query, sees_all))
        # A page from a clock that is ahead of this one has no age yet, and no end.
        if page is not None and 0 <= self._now() - page.made_at < self._ttl_seconds:
            return page
        if self._bytes_max:
            _misses.inc()
        return None

    def age_seconds(self, made_at: float) -> int:
        """The age of a page in whole seconds; never below zero, even if clocks differ."""
        return max(0, int(self._now() - made_at))

    def is_right(self, page: KeptPage, present: object) -> bool:
        """Whether this is the present generation's number, or the present mark, of the page."""
        of_page = page.rightness
        wanted = of_page.number if isinstance(of_page, ListGeneration) else of_page
        is_right = present is not None and present == wanted
        (_hits if is_right else _changed).inc()
        return is_right

    def keep(self, query: bytes, page: KeptPage, *, sees_all: bool) -> None:
        """Instead of the page that this query string had."""
        page.size_bytes = len(page.body) + _COPIES_OF_QUERY * len(query) + OVERHEAD_BYTES
        if page.size_bytes > self._bytes_max:
            return
        self._drop((query, sees_all))
        self._pages[query, sees_all] = page
        self._bytes += page.size_bytes
        while self._bytes > self._bytes_max:
            self._drop(next(iter(self._pages)))

    def _drop(self, key: tuple[bytes, bool]) -> None:
        page = self._pages.pop(key, None)
        if page is not None:
            self._bytes -= page.size_bytes
