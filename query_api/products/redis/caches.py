"""Wires the caches in Redis by constructors."""

from contextlib import AsyncExitStack

from query_api.products.redis.cache_reads import cache_reads
from query_api.products.redis.guarded_calls import GuardedCalls
from query_api.products.redis.list_cache import RedisListCache
from query_api.products.redis.live_documents import LiveDocuments
from query_api.products.redis.multi_get import MultiGet
from query_api.products.redis.product_cache import RedisProductCache
from query_api.settings import QuerySettings
from shared.ops.breaker import CircuitBreaker
from shared.ops.metrics.reads import CACHE_REQUESTS
from shared.redis.client import create_redis
from shared.redis.direct_calls import DirectCalls
from shared.redis.product_keys import ProductKeys

_hits, _misses, _bypasses = (CACHE_REQUESTS.labels(result) for result in ("hit", "miss", "bypass"))


def caches(settings: QuerySettings, stack: AsyncExitStack) -> tuple[RedisProductCache, RedisListCache]:
    """One client and one breaker for both, because both use one server."""
    redis = create_redis(
        settings.redis_address,
        socket_timeout_seconds=settings.redis_seconds_max,
        connect_timeout_seconds=settings.redis_seconds_max,
        connections_max=settings.redis_connections_max,
    )
    stack.push_async_callback(redis.aclose)
    breaker = CircuitBreaker(
        failures_max=settings.redis_failures_max, open_seconds=settings.redis_open_seconds
    )
    calls = GuardedCalls(breaker)
    direct = DirectCalls(redis, seconds_max=settings.redis_seconds_max)
    stack.push_async_callback(direct.close)
    multi_get = MultiGet(direct)
    keys = ProductKeys(settings.redis_key_prefix)
    live = LiveDocuments(multi_get, keys)
    documents = cache_reads(calls, live, count=_count)
    others = cache_reads(calls, multi_get)
    cache = RedisProductCache(
        redis,
        calls,
        documents,
        cache_reads(calls, live),
        others,
        keys=keys,
        prefix=settings.redis_key_prefix,
        document_ttl_seconds=settings.document_ttl_seconds,
        settling_seconds=settings.cache_settling_seconds,
        absent_ttl_seconds=settings.absent_ttl_seconds,
        pointer_ttl_seconds=settings.pointer_ttl_seconds,
    )
    list_cache = RedisListCache(
        redis, calls, others, prefix=settings.redis_key_prefix, ttl_seconds=settings.list_ttl_seconds
    )
    return cache, list_cache


def _count(hits: int, misses: int, bypassed: int) -> None:
    _hits.inc(hits)
    _misses.inc(misses)
    _bypasses.inc(bypassed)
