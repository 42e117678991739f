"""What all shared buckets and all rate limiters do; the fakes and the adapters over Redis run it.

No clock can be set here, so budgets refill either never within a test (one request in an hour) or soon.
"""

import asyncio
from uuid import uuid4

from shared.rate_limits.budget import Budget, take
from shared.rate_limits.ports import RateLimiter, SharedBuckets, Wanted
from tests.eventually import eventually

SLOW = Budget("reads", 1 / 3600, 5)
FAST = Budget("writes", 50.0, 2)


def new_key() -> str:
    return f"reads:{uuid4().hex}"


class SharedBucketsSuite:
    """`buckets` is a fixture."""

    async def test_a_new_bucket_is_full(self, buckets: SharedBuckets) -> None:
        taken = await buckets.take([Wanted(new_key(), SLOW, 1)])
        assert list(taken.full_at_us) == [taken.now_us]

    async def test_what_was_taken_is_gone_for_everybody(self, buckets: SharedBuckets) -> None:
        key = new_key()
        first = await buckets.take([Wanted(key, SLOW, 3)])
        second = await buckets.take([Wanted(key, SLOW, 1)])
        assert second.full_at_us[0] == first.now_us + 3 * SLOW.interval_us

    async def test_no_more_is_taken_than_a_bucket_has(self, buckets: SharedBuckets) -> None:
        key = new_key()
        first = await buckets.take([Wanted(key, SLOW, 100)])
        second = await buckets.take([Wanted(key, SLOW, 1)])
        third = await buckets.take([Wanted(key, SLOW, 1)])
        assert second.full_at_us[0] == first.now_us + SLOW.span_us
        assert third.full_at_us[0] == second.full_at_us[0]

    async def test_each_bucket_of_a_call_is_its_own(self, buckets: SharedBuckets) -> None:
        keys = [new_key() for _ in range(4)]
        await buckets.take([Wanted(key, SLOW, number) for number, key in enumerate(keys, 1)])
        after = await buckets.take([Wanted(key, FAST if key == keys[0] else SLOW, 1) for key in keys])
        left = [full_at - after.now_us for full_at in after.full_at_us]
        assert left[1] < left[2] < left[3]

    async def test_a_bucket_is_never_further_from_full_than_an_empty_one(
        self, buckets: SharedBuckets
    ) -> None:
        key, smaller = new_key(), Budget("reads", SLOW.per_second_max, 2)
        await buckets.take([Wanted(key, SLOW, 5)])
        taken = await buckets.take([Wanted(key, smaller, 1)])
        assert taken.full_at_us[0] == taken.now_us + smaller.span_us

    async def test_the_rule_is_that_of_the_pure_function(self, buckets: SharedBuckets) -> None:
        key, expected = new_key(), 0
        for requests in (1, 3, 0, 2, 7, 1, 4):
            taken = await buckets.take([Wanted(key, FAST, requests)])
            full_at_us = min(max(expected, taken.now_us), taken.now_us + FAST.span_us)
            assert taken.full_at_us[0] == full_at_us
            for _ in range(requests):
                _, full_at_us = take(FAST, full_at_us, taken.now_us)
            expected = full_at_us


class RateLimiterSuite:
    """`limiter` is a fixture."""

    async def test_a_burst_is_allowed_and_then_refused(self, limiter: RateLimiter) -> None:
        key = new_key()
        decisions = [await limiter.take(key, SLOW) for _ in range(7)]
        assert [each.is_allowed for each in decisions] == [True] * 5 + [False] * 2
        assert [each.remaining for each in decisions] == [4, 3, 2, 1, 0, 0, 0]
        assert 3590 <= decisions[6].reset_seconds <= 3600

    async def test_requests_of_one_moment_count_one_by_one(self, limiter: RateLimiter) -> None:
        key = new_key()
        decisions = await asyncio.gather(*(limiter.take(key, SLOW) for _ in range(8)))
        assert sorted(each.remaining for each in decisions if each.is_allowed) == [0, 1, 2, 3, 4]

    async def test_a_caller_takes_nothing_from_another(self, limiter: RateLimiter) -> None:
        busy, other = new_key(), new_key()
        for _ in range(6):
            await limiter.take(busy, SLOW)
        assert (await limiter.take(other, SLOW)).is_allowed
        assert not (await limiter.take(busy, SLOW)).is_allowed

    async def test_a_refused_caller_is_allowed_after_a_wait(self, limiter: RateLimiter) -> None:
        """All at once: one after the other they might come no faster than the budget refills."""
        key = new_key()
        decisions = await asyncio.gather(*(limiter.take(key, FAST) for _ in range(100)))
        assert not all(each.is_allowed for each in decisions)

        async def is_allowed() -> None:
            assert (await limiter.take(key, FAST)).is_allowed

        await eventually(is_allowed)

    async def test_a_request_that_gave_up_harms_no_other(self, limiter: RateLimiter) -> None:
        key = new_key()
        gone, there = limiter.take(key, SLOW), limiter.take(key, SLOW)
        gone.cancel()
        assert (await there).is_allowed
