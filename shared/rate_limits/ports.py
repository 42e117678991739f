"""The ports of rate limits: a limiter for requests, and buckets that several processes share."""

from asyncio import Future
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from shared.rate_limits.budget import Budget, Decision


class BucketsUnavailable(Exception):
    """The shared buckets did not answer in time, or refused."""


class Wanted(NamedTuple):
    """So many requests of one bucket."""

    key: str
    budget: Budget
    requests: int


class Taken(NamedTuple):
    """The time of the buckets' clock and, for each bucket, the moment at which it was full before."""

    now_us: int
    full_at_us: Sequence[int]


class RateLimiter(Protocol):
    """Counts requests. It always decides: if a shared count is unavailable, it counts by itself."""

    def take(self, key: str, budget: Budget) -> "Future[Decision]":
        """Take one request from the bucket `key` of this budget. The future never fails."""
        ...


class SharedBuckets(Protocol):
    """Buckets that all processes share."""

    async def take(self, wanted: Sequence[Wanted]) -> Taken:
        """Take all at one moment, from each bucket as many as it has. Keys are different. Raises
        `BucketsUnavailable`.
        """
        ...
