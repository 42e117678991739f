"""One node of a cluster, behind a circuit breaker of its own: while it is away, the others are used."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, TryAgainError

from shared.ops.breaker import BreakerState, CircuitBreaker
from shared.redis.address import Place
from shared.redis.errors import is_transient

FAILURES_MAX = 3
OPEN_SECONDS = 1.0
# Of a node that works.
_ANSWERS = (TryAgainError, NoScriptError)
T = TypeVar("T")


class Node:
    """`redis` is a client for this node alone."""

    def __init__(self, place: Place, redis: Redis, failed: Callable[[], None]) -> None:
        self.place = place
        self.redis = redis
        self._failed = failed
        self._breaker = CircuitBreaker(failures_max=FAILURES_MAX, open_seconds=OPEN_SECONDS)

    async def guarded(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of `call`; its errors are redis-py's."""
        if not self._breaker.allows(time.monotonic()):
            self._failed()
            raise RedisConnectionError(f"the circuit breaker of {self.place.host}:{self.place.port} is open")
        try:
            answer = await call()
        except Exception as error:
            if is_transient(error) and not isinstance(error, _ANSWERS):
                self._breaker.record_failure(time.monotonic())
                self._failed()
            else:
                self._breaker.record_success()
            raise
        self._breaker.record_success()
        return answer

    def breaker_state(self, now: float) -> BreakerState:
        """For the metric."""
        return self._breaker.state(now)
