"""Rate limits counted in a real Redis, and what becomes of them while it is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from deploy.local.redis import RedisServer
from shared.ops.secret import Secret
from shared.rate_limits.assembly import rate_limiter
from shared.rate_limits.budget import Budget
from shared.rate_limits.ports import RateLimiter, SharedBuckets, Wanted
from shared.rate_limits.redis import RedisBuckets
from shared.redis.address import RedisAddress
from shared.redis.client import create_redis
from shared.redis.direct_calls import DirectCalls
from tests.counters import counted
from tests.eventually import eventually
from tests.silent_server import silent_server
from tests.unit.rate_limits.bucket_suite import FAST, SLOW, RateLimiterSuite, SharedBucketsSuite, new_key

pytestmark = pytest.mark.servers
# A busy machine is no fault: a test that wants an answer of Redis waits for it.
SECONDS_MAX = 30.0


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as one:
        yield one


@pytest.fixture
async def buckets(stack: AsyncExitStack, redis_url: str) -> RedisBuckets:
    redis = create_redis(
        RedisAddress(Secret(redis_url)),
        socket_timeout_seconds=SECONDS_MAX,
        connect_timeout_seconds=SECONDS_MAX,
        connections_max=2,
    )
    stack.push_async_callback(redis.aclose)
    calls = DirectCalls(redis, seconds_max=SECONDS_MAX)
    stack.push_async_callback(calls.close)
    return RedisBuckets(calls, prefix="catalogue")


def limiter_of(stack: AsyncExitStack, url: str, seconds_max: float = SECONDS_MAX) -> RateLimiter:
    return rate_limiter(stack, RedisAddress(Secret(url)), prefix="catalogue", seconds_max=seconds_max)


class TestRedisBuckets(SharedBucketsSuite):
    async def test_a_bucket_that_is_full_again_is_no_key(
        self, buckets: SharedBuckets, redis_url: str
    ) -> None:
        async with Redis.from_url(redis_url) as redis:
            lasting, passing = new_key(), new_key()
            await buckets.take([Wanted(lasting, SLOW, 1), Wanted(passing, FAST, 2)])

            async def must_be_gone() -> None:
                assert await redis.keys("*") == [f"catalogue:limit:{lasting}".encode()]

            await eventually(must_be_gone)
            assert 3_500_000 < await redis.pttl(f"catalogue:limit:{lasting}") <= 3_600_000

    async def test_a_value_that_is_no_time_counts_as_a_full_bucket(
        self, buckets: SharedBuckets, redis_url: str
    ) -> None:
        key = new_key()
        async with Redis.from_url(redis_url) as redis:
            await redis.set(f"catalogue:limit:{key}", "nonsense")
            taken = await buckets.take([Wanted(key, SLOW, 1)])
        assert list(taken.full_at_us) == [taken.now_us]

    async def test_a_redis_that_has_forgotten_the_script_learns_it_again(
        self, buckets: SharedBuckets, redis_url: str
    ) -> None:
        key = new_key()
        await buckets.take([Wanted(key, SLOW, 1)])
        async with Redis.from_url(redis_url) as redis:
            await redis.script_flush()
        taken = await buckets.take([Wanted(key, SLOW, 1)])
        assert taken.full_at_us[0] > taken.now_us


class TestRateLimiterOverRedis(RateLimiterSuite):
    @pytest.fixture
    def limiter(self, stack: AsyncExitStack, redis_url: str) -> RateLimiter:
        return limiter_of(stack, redis_url)


async def test_two_processes_allow_no_more_than_one_together(stack: AsyncExitStack, redis_url: str) -> None:
    key, budget = new_key(), Budget("reads", 1 / 3600, 100)
    both = limiter_of(stack, redis_url), limiter_of(stack, redis_url)
    decisions = await asyncio.gather(*(each.take(key, budget) for each in both for _ in range(100)))
    assert sum(each.is_allowed for each in decisions) == 100


async def test_these_rights_in_redis_are_enough_and_without_them_each_process_counts_alone(
    stack: AsyncExitStack, redis_url: str
) -> None:
    rights = ["~catalogue:limit:*", "+eval", "+evalsha", "+time", "+get", "+set", "+select"]
    user, key = f"limits-{new_key()[-8:]}", new_key()
    with_user = redis_url.replace("redis://", f"redis://{user}:secret@")
    async with Redis.from_url(redis_url) as redis:
        for given, is_enough in ((rights, True), ([*rights[:-3], "+select"], False)):
            await redis.execute_command("ACL", "SETUSER", user, "reset", "on", ">secret", *given)
            with capture_logs() as logged:
                assert (await limiter_of(stack, with_user).take(key, SLOW)).is_allowed
            assert ("rate limits are refused by Redis" in str(logged)) is not is_enough
        await redis.execute_command("ACL", "DELUSER", user)


async def test_a_redis_that_never_answers_costs_a_request_one_short_wait_and_no_refusal(
    stack: AsyncExitStack,
) -> None:
    async with silent_server() as (port, _):
        limiter = limiter_of(stack, f"redis://127.0.0.1:{port}/0", seconds_max=0.01)
        allowed = [(await limiter.take("reads:a", SLOW)).is_allowed for _ in range(7)]
    assert allowed == [True] * 5 + [False] * 2
    assert counted("rate_limits_local") == 1


async def test_a_redis_that_comes_back_counts_for_all_again(
    stack: AsyncExitStack, redis_server: RedisServer, redis_url: str
) -> None:
    key = new_key()
    first, second = limiter_of(stack, redis_url), limiter_of(stack, redis_url)
    redis_server.stop()
    for _ in range(6):
        await first.take(key, SLOW)
    assert not (await first.take(key, SLOW)).is_allowed
    assert (await second.take(key, SLOW)).is_allowed
    redis_server.start()

    async def must_be_shared() -> None:
        other = new_key()
        for _ in range(3):
            await first.take(other, SLOW)
        assert (await second.take(other, SLOW)).remaining == 1

    await eventually(must_be_shared)
    assert counted("rate_limits_local") == 0
