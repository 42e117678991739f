"""Wires the limits of an API by constructors: the count in Redis, and the process's own beside it."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace

from shared.ops.breaker import CircuitBreaker
from shared.rate_limits.api_limits import ApiLimits
from shared.rate_limits.limits import KindOfRequests
from shared.rate_limits.local import LocalRateLimiter
from shared.rate_limits.ports import RateLimiter, SharedBuckets
from shared.rate_limits.redis import ClusterBuckets, RedisBuckets
from shared.rate_limits.settings import RateLimitSettings
from shared.rate_limits.shared_limiter import CALLS_MAX, SharedRateLimiter
from shared.redis.address import RedisAddress
from shared.redis.client import create_redis
from shared.redis.cluster.client import ClusterRedis
from shared.redis.cluster.direct import ClusterCalls
from shared.redis.direct_calls import DirectCalls

_FAILURES_MAX = 2
_OPEN_SECONDS = 1.0


def api_limits(
    stack: AsyncExitStack,
    settings: RateLimitSettings,
    *,
    usual: KindOfRequests,
    by_path: Mapping[str, KindOfRequests],
    in_progress_max: int,
) -> ApiLimits:
    """The limits that the settings name; without any, nothing connects to Redis.

    `in_progress_max` is the default for the requests of one caller in progress.
    """
    limits = ApiLimits(
        usual=usual,
        by_path=by_path,
        addresses=settings.client_addresses,
        in_progress_max=settings.in_progress_max(in_progress_max),
        failed_authentications=settings.failed_authentications,
    )
    if not limits.has_rates:
        return limits
    limiter = rate_limiter(
        stack,
        settings.redis_address,
        prefix=settings.redis_key_prefix,
        seconds_max=settings.rate_limit_seconds_max,
    )
    return replace(limits, limiter=limiter)


def rate_limiter(
    stack: AsyncExitStack, server: RedisAddress, *, prefix: str, seconds_max: float
) -> RateLimiter:
    """A limiter over Redis; it connects with the first request that has a limit."""
    redis = create_redis(
        server,
        socket_timeout_seconds=seconds_max,
        connect_timeout_seconds=seconds_max,
        connections_max=CALLS_MAX,
    )
    stack.push_async_callback(redis.aclose)
    buckets: SharedBuckets
    calls: DirectCalls | ClusterCalls
    if isinstance(redis, ClusterRedis):
        calls = ClusterCalls(redis, seconds_max=seconds_max)
        buckets = ClusterBuckets(redis, calls, prefix=prefix)
    else:
        calls = DirectCalls(redis, seconds_max=seconds_max)
        buckets = RedisBuckets(calls, prefix=prefix)
    stack.push_async_callback(calls.close)
    breaker = CircuitBreaker(failures_max=_FAILURES_MAX, open_seconds=_OPEN_SECONDS)
    return SharedRateLimiter(buckets, breaker, LocalRateLimiter())
