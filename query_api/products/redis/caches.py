"""Wires the caches in Redis by constructors."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import NamedTuple

from redis.asyncio import Redis

from query_api.products.kept_pages import KeptPages
from query_api.products.local_cache import LocalCache
from query_api.products.redis.cache_reads import CacheReads, ReadMany, cache_reads
from query_api.products.redis.cluster_reads import (
    ClusterDocuments,
    ClusterMultiGet,
    ClusterReads,
    NodeBreakers,
    slot_of_product,
)
from query_api.products.redis.guarded_calls import GuardedCalls
from query_api.products.redis.kept_documents import KeptDocuments
from query_api.products.redis.list_cache import RedisListCache
from query_api.products.redis.live_documents import LiveDocuments
from query_api.products.redis.multi_get import MultiGet
from query_api.products.redis.product_cache import RedisProductCache
from query_api.products.redis.tracking import Tracking
from query_api.settings import QuerySettings
from shared.ops.breaker import CircuitBreaker
from shared.ops.concurrency.coalesced_reads import Count
from shared.ops.concurrency.waits import stopped
from shared.ops.metrics.reads import CACHE_REQUESTS
from shared.redis.client import create_redis
from shared.redis.cluster.client import ClusterRedis
from shared.redis.cluster.direct import ClusterCalls
from shared.redis.cluster.slots import slot_of
from shared.redis.direct_calls import DirectCalls
from shared.redis.direct_script import DirectScript
from shared.redis.guarded_documents import RegisterScript
from shared.redis.key_groups import SlotGroups
from shared.redis.product_keys import KeyGroups, ProductKeys

_hits, _misses, _bypasses = (CACHE_REQUESTS.labels(result) for result in ("hit", "miss", "bypass"))


class Caches(NamedTuple):
    """Documents and pages of lists, in Redis and in this process."""

    products: RedisProductCache
    local: LocalCache
    lists: RedisListCache
    pages: KeptPages


class _Reads(NamedTuple):
    """What differs between one server and a cluster. `documents` makes reads with batches of their own."""

    keys: KeyGroups
    calls: GuardedCalls
    documents: Callable[[Count | None, int], CacheReads]
    others: CacheReads
    register_script: RegisterScript | None = None


def caches(settings: QuerySettings, stack: AsyncExitStack) -> Caches:
    """One client and one breaker for all, because all use one server. Needs a running event loop."""
    redis = create_redis(
        settings.redis_address,
        socket_timeout_seconds=settings.redis_seconds_max,
        connect_timeout_seconds=settings.redis_seconds_max,
        connections_max=settings.redis_connections_max,
    )
    stack.push_async_callback(redis.aclose)
    local = _local_cache(settings)
    if isinstance(redis, ClusterRedis):
        reads = _cluster_reads(redis, local, settings, stack)
    else:
        reads = _server_reads(redis, local, settings, stack)
    cache = RedisProductCache(
        redis,
        reads.calls,
        reads.documents(_count, 2),
        reads.documents(None, 2),
        reads.others,
        keys=reads.keys,
        prefix=settings.redis_key_prefix,
        document_ttl_seconds=settings.document_ttl_seconds,
        settling_seconds=settings.cache_settling_seconds,
        absent_ttl_seconds=settings.absent_ttl_seconds,
        pointer_ttl_seconds=settings.pointer_ttl_seconds,
        fills_max=settings.redis_connections_max,
        register_script=reads.register_script,
    )
    list_cache = RedisListCache(
        redis,
        reads.calls,
        reads.others,
        prefix=settings.redis_key_prefix,
        ttl_seconds=settings.list_ttl_seconds,
    )
    local.refresh = reads.documents(None, 1).get
    if local.bytes_max:
        tracking = Tracking(
            redis,
            local,
            prefix=settings.redis_key_prefix,
            silence_seconds_max=settings.local_cache_silence_seconds_max,
        )
        stack.push_async_callback(stopped, asyncio.create_task(tracking.run(), name="cache-tracking"))
    pages = KeptPages(bytes_max=settings.local_list_cache_bytes_max, ttl_seconds=settings.list_ttl_seconds)
    return Caches(cache, local, list_cache, pages)


def _server_reads(redis: Redis, local: LocalCache, settings: QuerySettings, stack: AsyncExitStack) -> _Reads:
    breaker = CircuitBreaker(
        failures_max=settings.redis_failures_max, open_seconds=settings.redis_open_seconds
    )
    calls = GuardedCalls(breaker)
    direct = DirectCalls(redis, seconds_max=settings.redis_seconds_max)
    stack.push_async_callback(direct.close)
    multi_get = MultiGet(direct)
    keys = ProductKeys(settings.redis_key_prefix)
    live = _kept(LiveDocuments(multi_get, keys), keys, local)
    return _Reads(
        keys,
        calls,
        lambda count, batches_max: cache_reads(calls, live, count=count, batches_max=batches_max),
        cache_reads(calls, multi_get),
        partial(DirectScript, direct),
    )


def _cluster_reads(
    redis: ClusterRedis, local: LocalCache, settings: QuerySettings, stack: AsyncExitStack
) -> _Reads:
    calls = GuardedCalls(NodeBreakers(redis))
    direct = ClusterCalls(redis, seconds_max=settings.redis_seconds_max)
    stack.push_async_callback(direct.close)
    keys = SlotGroups(settings.redis_key_prefix)
    live = _kept(ClusterDocuments(direct, keys), keys, local)
    slot_of_id = slot_of_product(keys)
    return _Reads(
        keys,
        calls,
        lambda count, batches_max: ClusterReads(
            redis, calls, live, slot_of_id, count=count, batches_max=batches_max
        ),
        ClusterReads(redis, calls, ClusterMultiGet(direct), slot_of),
    )


def _kept(live: ReadMany, keys: KeyGroups, local: LocalCache) -> ReadMany:
    """By way of the in-process cache, if there is one."""
    return KeptDocuments(live, keys, local) if local.bytes_max else live


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
