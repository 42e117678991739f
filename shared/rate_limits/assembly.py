"""Wires rate limits by constructors: the limiter over Redis, and its own count beside it."""

from contextlib import AsyncExitStack

from shared.ops.breaker import CircuitBreaker
from shared.rate_limits.local import LocalRateLimiter
from shared.rate_limits.ports import RateLimiter
from shared.rate_limits.redis import RedisBuckets
from shared.rate_limits.shared_limiter import CALLS_MAX, SharedRateLimiter
from shared.redis.client import create_redis
from shared.redis.direct_calls import DirectCalls

_FAILURES_MAX = 2
_OPEN_SECONDS = 1.0


def rate_limiter(stack: AsyncExitStack, redis_url: str, *, prefix: str, seconds_max: float) -> RateLimiter:
    """The limiter; it connects with the first request that has a limit."""
    redis = create_redis(
        redis_url,
        socket_timeout_seconds=seconds_max,
        connect_timeout_seconds=seconds_max,
        connections_max=CALLS_MAX,
    )
    stack.push_async_callback(redis.aclose)
    calls = DirectCalls(redis, seconds_max=seconds_max)
    stack.push_async_callback(calls.close)
    breaker = CircuitBreaker(failures_max=_FAILURES_MAX, open_seconds=_OPEN_SECONDS)
    return SharedRateLimiter(RedisBuckets(calls, prefix=prefix), breaker, LocalRateLimiter())
