"""Counts requests in shared buckets, all requests of one event-loop tick in one call; falls back to its own.

No request waits longer than one call may take. After failures a circuit breaker spares requests even that:
this process then counts alone, so a caller gets its budget once from each process, and nobody is refused
because Redis is away.
"""

import asyncio
import time
from collections.abc import Callable

from shared.ops.breaker import BreakerState, CircuitBreaker
from shared.ops.concurrency.tick_batches import TickBatches
from shared.ops.logs import get_logger
from shared.ops.metrics.rate_limits import RATE_LIMITS_LOCAL
from shared.rate_limits.budget import Budget, Decision, take
from shared.rate_limits.local import LocalRateLimiter
from shared.rate_limits.ports import BucketsUnavailable, SharedBuckets, Wanted

KEYS_PER_CALL_MAX = 500
CALLS_MAX = 2
_log = get_logger(__name__)
_Bucket = tuple[str, Budget]
_Batch = dict[_Bucket, list["asyncio.Future[Decision]"]]


class SharedRateLimiter:
    """Adapter of `RateLimiter` over `SharedBuckets`. A key always comes with the same budget."""

    def __init__(
        self,
        buckets: SharedBuckets,
        breaker: CircuitBreaker,
        own: LocalRateLimiter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._buckets = buckets
        self._breaker = breaker
        self._own = own
        self._clock = clock
        self._is_alone = False
        self._batches: TickBatches[_Bucket, Decision] = TickBatches(
            self._call, keys_max=KEYS_PER_CALL_MAX, batches_max=CALLS_MAX
        )

    def take(self, key: str, budget: Budget) -> "asyncio.Future[Decision]":
        if self._breaker.state(self._clock()) is BreakerState.OPEN:
            future: asyncio.Future[Decision] = self._batches.loop.create_future()
            future.set_result(self._own.decide(key, budget))
            return future
        return self._batches.get((key, budget))

    async def _call(self, batch: _Batch) -> None:
        """Ask the buckets once. Whatever happens, nobody waits for ever."""
        try:
            if not self._breaker.allows(self._clock()):
                return
            wanted = [Wanted(key, budget, len(futures)) for (key, budget), futures in batch.items()]
            taken = await self._buckets.take(wanted)
            self._breaker.record_success()
            self._note_shared()
            for ((_, budget), futures), full_at_us in zip(batch.items(), taken.full_at_us, strict=True):
                _decide(budget, futures, full_at_us, taken.now_us)
        except BucketsUnavailable as error:
            self._breaker.record_failure(self._clock())
            self._note_alone(error)
        finally:
            self._decide_alone(batch)

    def _decide_alone(self, batch: _Batch) -> None:
        """For requests without a decision: the call failed, or the process stops."""
        for (key, budget), futures in batch.items():
            for future in futures:
                if not future.done():
                    future.set_result(self._own.decide(key, budget))

    def _note_alone(self, error: BucketsUnavailable) -> None:
        """Once for each outage."""
        if not self._is_alone:
            self._is_alone = True
            RATE_LIMITS_LOCAL.set(1)
            _log.warning("rate limits are counted by this process alone", error=str(error))

    def _note_shared(self) -> None:
        if self._is_alone:
            self._is_alone = False
            RATE_LIMITS_LOCAL.set(0)
            _log.info("rate limits are counted for all processes again")


def _decide(budget: Budget, futures: "list[asyncio.Future[Decision]]", full_at_us: int, now_us: int) -> None:
    """As the script did it: in order, until the bucket is empty."""
    for future in futures:
        decision, full_at_us = take(budget, full_at_us, now_us)
        if not future.done():
            future.set_result(decision)
