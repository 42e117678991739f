"""Wires the caches in Redis by constructors."""

import asyncio
from contextlib import AsyncExitStack
from typing import NamedTuple

from query_api.products.local_cache import LocalCache
from query_api.products.redis.cache_reads import ReadMany, cache_reads
from query_api.products.redis.guarded_calls import GuardedCalls
from query_api.products.redis.kept_documents import KeptDocuments
from query_api.products.redis.list_cache import RedisListCache
from query_api.products.redis.live_documents import LiveDocuments
from query_api.products.redis.multi_get import MultiGet
from query_api.products.redis.product_cache import RedisProductCache
from query_api.products.redis.tracking import Tracking
from query_api.settings import QuerySettings
from shared.ops.breaker import CircuitBreaker
from shared.ops.concurrency.waits import stopped
from shared.ops.metrics.reads import CACHE_REQUESTS
from shared.redis.client import create_redis
from shared.redis.direct_calls import DirectCalls
from shared.redis.product_keys import ProductKeys

_hits, _misses, _bypasses = (CACHE_REQUESTS.labels(result) for result in ("hit", "miss", "bypass"))


class Caches(NamedTuple):
    """Documents in Redis, the same in this process, and pages in Redis."""

    products: RedisProductCache
    local: LocalCache
    lists: RedisListCache


def caches(settings: QuerySettings, stack: AsyncExitStack) -> Caches:
    """One client and one breaker for all, because all use one server. Needs a running event loop."""
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
    local = _local_cache(settings)
    live: ReadMany = LiveDocuments(multi_get, keys)
    if local.bytes_max:
        live = KeptDocuments(live, keys, local)
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
    local.refresh = cache_reads(calls, live, batches_max=1).get
    if local.bytes_max:
        tracking = Tracking(
            redis,
            local,
            prefix=settings.redis_key_prefix,
            silence_seconds_max=settings.local_cache_silence_seconds_max,
        )
        stack.push_async_callback(stopped, asyncio.create_task(tracking.run(), name="cache-tracking"))
    return Caches(cache, local, list_cache)


def _local_cache(settings: QuerySettings) -> LocalCache:
    return LocalCache(
        bytes_max=settings.local_cache_bytes_max,
        entries_max=settings.local_cache_entries_max,
        seconds_max=settings.local_cache_seconds_max,
    )


def _count(hits: int, misses: int, bypassed: int) -> None:
    _hits.inc(hits)
    _misses.inc(misses)
    _bypasses.inc(bypassed)
