"""A page of a list or search, from whichever side it came."""

from typing import NamedTuple

from query_api.products.ports import CacheResult


class PageAnswer(NamedTuple):
    """Its JSON body, the cursor of the next page, whether it (or all its documents) came from the cache, and
    when it was made (Unix seconds). It may be kept for as long as its `rightness` is the present one: the
    generation of the lists, or the mark of the search index (None: nobody knows how long).
    """

    body: bytes
    next_cursor: str | None
    cache: CacheResult
    made_at: float
    rightness: object | None = None
