"""Every call to Redis goes through one circuit breaker, and ends in an answer or in `CacheUnavailable`."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from query_api.errors import CacheUnavailable
from shared.ops.breaker import CircuitBreaker
from shared.redis.client import is_transient

T = TypeVar("T")


class GuardedCalls:
    """Shared by all adapters of one Redis, so that what one learns spares the others a time-out."""

    def __init__(self, breaker: CircuitBreaker) -> None:
        self._breaker = breaker

    async def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """What `call` answers. Raises `CacheUnavailable` when Redis is away; other errors are bugs."""
        if not self._breaker.allows(time.monotonic()):
            raise CacheUnavailable("the circuit breaker is open")
        try:
            answer = await call()
        except Exception as error:
            if not is_transient(error):
                raise
            self._breaker.record_failure(time.monotonic())
            raise CacheUnavailable(f"{type(error).__name__}: {error}") from error
        self._breaker.record_success()
        return answer
