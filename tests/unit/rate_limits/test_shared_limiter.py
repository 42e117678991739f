"""What is special about the limiter over shared buckets: few calls, and an own count while they are away."""

import asyncio

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from shared.ops.breaker import CircuitBreaker
from shared.rate_limits.budget import Budget
from shared.rate_limits.local import LocalRateLimiter
from shared.rate_limits.shared_limiter import KEYS_PER_CALL_MAX, SharedRateLimiter
from tests.in_memory.buckets import InMemoryBuckets

SLOW = Budget("reads", 1 / 3600, 5)


class World:
    """A limiter with a clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.buckets = InMemoryBuckets()
        self.limiter = self.another()

    def another(self) -> SharedRateLimiter:
        breaker = CircuitBreaker(failures_max=2, open_seconds=1.0)
        return SharedRateLimiter(self.buckets, breaker, LocalRateLimiter(), clock=lambda: self.seconds)

    async def use_up(self, limiter: SharedRateLimiter, key: str) -> int:
        allowed = 0
        while (await limiter.take(key, SLOW)).is_allowed:
            allowed += 1
        return allowed


async def test_requests_of_one_tick_are_one_call() -> None:
    world = World()
    keys = ["reads:a", "reads:b", "reads:a", "reads:c", "reads:a"]
    await asyncio.gather(*(world.limiter.take(key, SLOW) for key in keys))
    assert [[(each.key, each.requests) for each in call] for call in world.buckets.calls] == [
        [("reads:a", 3), ("reads:b", 1), ("reads:c", 1)]
    ]


async def test_a_call_has_a_bounded_number_of_buckets() -> None:
    world = World()
    wanted = [world.limiter.take(f"reads:{number}", SLOW) for number in range(2 * KEYS_PER_CALL_MAX + 1)]
    await asyncio.gather(*wanted)
    assert [len(call) for call in world.buckets.calls] == [KEYS_PER_CALL_MAX, KEYS_PER_CALL_MAX, 1]


async def test_processes_share_a_budget() -> None:
    world = World()
    first, second = world.limiter, world.another()
    decisions = [await each.take("reads:a", SLOW) for each in (first, second) * 4]
    assert sum(each.is_allowed for each in decisions) == 5


async def test_while_the_buckets_are_away_each_process_counts_alone_and_says_so() -> None:
    world = World()
    world.buckets.is_away = True
    assert await world.use_up(world.limiter, "reads:a") == 5
    assert await world.use_up(world.another(), "reads:a") == 5
    assert REGISTRY.get_sample_value("rate_limits_local") == 1


async def test_after_failures_requests_do_not_even_ask() -> None:
    world = World()
    world.buckets.is_away = True
    for _ in range(10):
        await world.limiter.take("reads:a", SLOW)
    assert len(world.buckets.calls) == 2
    world.seconds = 1.1
    for _ in range(10):
        await world.limiter.take("reads:a", SLOW)
    assert len(world.buckets.calls) == 3


async def test_when_the_buckets_are_back_they_count_again() -> None:
    world = World()
    world.buckets.is_away = True
    await world.use_up(world.limiter, "reads:a")
    world.buckets.is_away, world.seconds = False, 1.1
    assert await world.use_up(world.limiter, "reads:a") == 5
    assert REGISTRY.get_sample_value("rate_limits_local") == 0


async def test_an_own_count_has_a_bounded_number_of_buckets() -> None:
    now = [10**9]
    own = LocalRateLimiter(now_us=lambda: now[0], buckets_max=100)
    for number in range(100):
        own.decide(f"reads:{number}", SLOW)
    own.decide("reads:new", SLOW)
    assert len(own._full_at_us) <= 100
    # The newest are kept: they belong to those who are here now.
    assert own.decide("reads:99", SLOW).remaining == 3
    assert own.decide("reads:0", SLOW).remaining == 4


async def test_full_buckets_are_dropped_before_others() -> None:
    now = [10**9]
    own = LocalRateLimiter(now_us=lambda: now[0], buckets_max=4)
    own.decide("reads:slow", SLOW)
    for number in range(3):
        own.decide(f"reads:{number}", Budget("reads", 1000.0, 5))
    now[0] += 1_000_000
    own.decide("reads:new", SLOW)
    assert own.decide("reads:slow", SLOW).remaining == 3


async def test_an_outage_is_logged_once_and_so_is_its_end() -> None:
    world = World()
    with capture_logs() as lines:
        world.buckets.is_away = True
        for _ in range(3):
            await world.limiter.take("reads:a", SLOW)
        world.seconds = 1.1
        await world.limiter.take("reads:a", SLOW)
        world.buckets.is_away, world.seconds = False, 3.0
        await world.limiter.take("reads:a", SLOW)
        await world.limiter.take("reads:a", SLOW)
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("rate limits are counted by this process alone", "warning"),
        ("rate limits are counted for all processes again", "info"),
    ]
