"""Reads of the cache, coalesced into one MGET per tick, through the circuit breaker."""

from asyncio import Future
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from query_api.errors import CacheUnavailable
from query_api.products.redis.guarded_calls import GuardedCalls
from shared.ops.concurrency.coalesced_reads import CoalescedReads, Count

KEYS_PER_BATCH_MAX = 500
ReadMany = Callable[[list[str]], Awaitable[Sequence[Any]]]


class CacheReads(Protocol):
    """Reads that share commands."""

    def get(self, key: str) -> "Future[bytes | None]":
        """The value, or None if there is none; raises `CacheUnavailable`."""


def cache_reads(
    calls: GuardedCalls, read_many: ReadMany, *, count: Count | None = None, batches_max: int = 2
) -> CacheReads:
    """`count` gets the numbers (hits, misses, bypassed) of each batch, counted by caller."""
    return CoalescedReads[str, bytes](
        lambda keys: calls.run(lambda: read_many(keys)),
        unavailable=CacheUnavailable,
        keys_max=KEYS_PER_BATCH_MAX,
        batches_max=batches_max,
        count=count,
    )
