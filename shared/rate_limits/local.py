"""Counts requests in this process alone: while Redis is away, and in tests."""

import asyncio
import time
from collections.abc import Callable

from shared.rate_limits.budget import Budget, Decision, take

BUCKETS_MAX = 20_000


def monotonic_us() -> int:
    """Microseconds of a clock that is never set back."""
    return time.monotonic_ns() // 1000


class LocalRateLimiter:
    """At most `buckets_max` buckets; then full ones are dropped, which changes nothing, then the oldest."""

    def __init__(self, now_us: Callable[[], int] = monotonic_us, buckets_max: int = BUCKETS_MAX) -> None:
        self._now_us = now_us
        self._buckets_max = buckets_max
        self._full_at_us: dict[str, int] = {}

    def take(self, key: str, budget: Budget) -> "asyncio.Future[Decision]":
        future: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        future.set_result(self.decide(key, budget))
        return future

    def decide(self, key: str, budget: Budget) -> Decision:
        """The decision at once."""
        now_us = self._now_us()
        buckets = self._full_at_us
        if key not in buckets and len(buckets) >= self._buckets_max:
            self._make_room(now_us)
        decision, buckets[key] = take(budget, buckets.get(key, 0), now_us)
        return decision

    def _make_room(self, now_us: int) -> None:
        """Leave a quarter free, so that the next call does not have to look again."""
        buckets = {key: full_at for key, full_at in self._full_at_us.items() if full_at > now_us}
        too_many = len(buckets) - self._buckets_max * 3 // 4
        for key in list(buckets)[: max(0, too_many)]:
            del buckets[key]
        self._full_at_us = buckets
