"""The suites of rate limits over the fakes, and over the limiter that counts in its process alone."""

import pytest

from shared.ops.breaker import CircuitBreaker
from shared.rate_limits.local import LocalRateLimiter
from shared.rate_limits.ports import RateLimiter
from shared.rate_limits.shared_limiter import SharedRateLimiter
from tests.in_memory.buckets import InMemoryBuckets
from tests.unit.rate_limits.bucket_suite import RateLimiterSuite, SharedBucketsSuite


class TestInMemoryBuckets(SharedBucketsSuite):
    @pytest.fixture
    def buckets(self) -> InMemoryBuckets:
        return InMemoryBuckets()


class TestLocalRateLimiter(RateLimiterSuite):
    @pytest.fixture
    def limiter(self) -> RateLimiter:
        return LocalRateLimiter()


class TestSharedRateLimiter(RateLimiterSuite):
    @pytest.fixture
    def limiter(self) -> RateLimiter:
        breaker = CircuitBreaker(failures_max=2, open_seconds=1)
        return SharedRateLimiter(InMemoryBuckets(), breaker, LocalRateLimiter())


class TestSharedRateLimiterWithoutBuckets(RateLimiterSuite):
    @pytest.fixture
    def limiter(self) -> RateLimiter:
        buckets = InMemoryBuckets()
        buckets.is_away = True
        return SharedRateLimiter(buckets, CircuitBreaker(failures_max=2, open_seconds=1), LocalRateLimiter())
