"""The parts of single products, wired."""

from query_api.consistency.visibility import Visibility
from query_api.products.cache_watch import CacheWatch
from query_api.products.find import FindProduct
from query_api.products.local_cache import LocalCache
from query_api.products.ports import ProductCache, ProductTable
from query_api.products.written import WrittenProducts
from query_api.settings import QuerySettings


def find_product(
    settings: QuerySettings,
    table: ProductTable,
    caches: tuple[LocalCache, ProductCache],
    visibility: Visibility,
    written: WrittenProducts,
) -> FindProduct:
    """The use case, with its watch over the cache."""
    watch = CacheWatch(
        seconds_max=settings.cache_watch_seconds_max,
        pause_seconds=settings.cache_watch_pause_seconds,
        rest_seconds=settings.cache_watch_rest_seconds,
        watchers_max=settings.waiters_max,
    )
    return FindProduct(table, *caches, visibility, watch, written)
