"""A reader looks at the cache for a moment, together with all others, and not where that is of no use."""

import asyncio
from collections.abc import Sequence

import pytest
from uuid_utils.compat import uuid7

from query_api.cache_watch import CacheWatch, Read
from query_api.errors import CacheUnavailable
from query_api.redis.coalesced_reads import CoalescedReads
from query_api.redis.guarded_calls import GuardedCalls
from shared.ops.breaker import CircuitBreaker

PATIENT_SECONDS = 60.0
ID = uuid7()


class _Cache:
    """Answers one value after the other, the last one for ever; counts how often it is asked."""

    def __init__(self, *values: bytes | None) -> None:
        self.values = list(values)
        self.asked = 0

    async def __call__(self, product_id: str) -> bytes | None:
        self.asked += 1
        return self.values.pop(0) if len(self.values) > 1 else self.values[0]

    async def many(self, product_ids: list[str]) -> Sequence[bytes | None]:
        value = await self("")
        return [value for _ in product_ids]


def _watch(read: Read, watchers_max: int = 1) -> CacheWatch:
    return CacheWatch(read, seconds_max=PATIENT_SECONDS, watchers_max=watchers_max)


def _is_new(value: bytes) -> bool:
    return value == b"new"


async def test_what_is_new_enough_is_the_answer() -> None:
    cache = _Cache(None, b"old", b"new")
    assert await _watch(cache).until(_is_new, ID, PATIENT_SECONDS) == b"new"
    assert cache.asked == 3


@pytest.mark.parametrize(("pause_seconds", "looks_again"), [(PATIENT_SECONDS, False), (0.0, True)])
async def test_after_one_looked_in_vain_nobody_looks_for_a_while(
    pause_seconds: float, looks_again: bool
) -> None:
    cache = _Cache(b"old")
    watch = CacheWatch(cache, seconds_max=0.05, watchers_max=1, in_vain_seconds=pause_seconds)
    assert await watch.until(_is_new, ID, PATIENT_SECONDS) is None
    asked = cache.asked
    assert asked > 0
    cache.values = [b"new"]
    found = await watch.until(_is_new, ID, PATIENT_SECONDS)
    assert (found, cache.asked) == ((b"new", asked + 1) if looks_again else (None, asked))


@pytest.mark.parametrize(("seconds", "watchers_max"), [(0.0, 1), (PATIENT_SECONDS, 0)])
async def test_who_does_not_wait_or_finds_too_many_others_goes_on_at_once(
    seconds: float, watchers_max: int
) -> None:
    cache = _Cache(b"new")
    assert await _watch(cache, watchers_max).until(_is_new, ID, seconds) is None
    assert cache.asked == 0


async def test_a_cache_that_goes_away_ends_the_look_and_no_reader_is_counted_any_more() -> None:
    class Away(_Cache):
        async def __call__(self, product_id: str) -> bytes | None:
            await super().__call__(product_id)
            raise CacheUnavailable("away")

    away = Away(None)
    watch = _watch(away)
    for expected in (1, 2):
        assert await watch.until(_is_new, ID, PATIENT_SECONDS) is None
        assert away.asked == expected


async def test_many_readers_look_with_one_command() -> None:
    cache = _Cache(*[b"old"] * 10, b"new")
    calls = GuardedCalls(CircuitBreaker(failures_max=1, open_seconds=1))
    watch = _watch(CoalescedReads(calls, cache.many).get, watchers_max=100)
    answers = await asyncio.gather(*(watch.until(_is_new, uuid7(), PATIENT_SECONDS) for _ in range(100)))
    assert answers == [b"new"] * 100
    assert cache.asked < 100
