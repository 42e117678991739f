"""Every call to Redis goes through one circuit breaker, and returns a value or raises `CacheUnavailable`.

The table can answer after any error of Redis: a wrong password or a full Redis costs readers time, not
answers. But such errors do not go away by themselves, so they are logged as errors.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from redis.exceptions import RedisError

from query_api.errors import CacheUnavailable
from shared.ops.breaker import BreakerState
from shared.ops.error_text import named
from shared.ops.logs import get_logger
from shared.ops.metrics.reads import CACHE_BREAKER_OPEN
from shared.redis.errors import is_transient

T = TypeVar("T")
_log = get_logger(__name__)


class Breaker(Protocol):
    """A `CircuitBreaker`, or what stands for those of several nodes."""

    def state(self, now: float) -> BreakerState: ...
    def allows(self, now: float) -> bool: ...
    def record_success(self) -> None: ...
    def record_failure(self, now: float) -> None: ...


class GuardedCalls:
    """Shared by all adapters of one Redis, so that a time-out of one adapter spares the others theirs."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        CACHE_BREAKER_OPEN.set_function(lambda: breaker.state(time.monotonic()) is not BreakerState.CLOSED)

    async def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of `call`. Raises `CacheUnavailable` for every error of Redis; other errors are bugs."""
        if not self._breaker.allows(time.monotonic()):
            raise CacheUnavailable("the circuit breaker is open")
        try:
            answer = await call()
        except Exception as error:
            if not is_transient(error):
                if not isinstance(error, RedisError):
                    raise
                _log.error("the cache refused a call", error=named(error))
            self._breaker.record_failure(time.monotonic())
            raise CacheUnavailable(named(error)) from error
        self._breaker.record_success()
        return answer
