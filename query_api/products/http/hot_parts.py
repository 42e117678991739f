"""What the hot reads of all connections of a port share."""

from typing import NamedTuple

from query_api.products.http.hot_answer import HotAnswers
from query_api.products.http.hot_writes import HotWrites
from query_api.products.kept_pages import KeptPages
from query_api.products.local_cache import LocalCache
from query_api.products.ports import ListCache, ProductCache
from query_api.search.ports import SearchEngine
from shared.access.guard import Guard
from shared.rate_limits.client_address import ClientAddresses
from shared.rate_limits.limits import Limits


class HotParts(NamedTuple):
    """`guard` None: everybody may do everything."""

    local: LocalCache
    cache: ProductCache
    pages: KeptPages
    lists: ListCache
    engine: SearchEngine
    guard: Guard | None
    rates: Limits
    addresses: ClientAddresses
    answers: HotAnswers
    writes: HotWrites
