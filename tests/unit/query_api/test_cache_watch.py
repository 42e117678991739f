"""A reader looks at the cache for a moment, together with all others, and not where that is of no use."""

import asyncio
from collections.abc import Sequence

import pytest
from uuid_utils.compat import uuid7

from query_api.errors import CacheUnavailable
from query_api.products.cache_watch import CacheWatch
from query_api.products.redis.cache_reads import cache_reads
from query_api.products.redis.guarded_calls import GuardedCalls
from shared.ops.breaker import CircuitBreaker

PATIENT_SECONDS = 60.0


class _Cache:
    """Answers one value after the other, the last one for ever; counts how often it is asked. A reader wants
    what is new.
    """

    def __init__(self, *values: bytes | None) -> None:
        self.values = list(values)
        self.asked = 0

    def read(self) -> bytes | None:
        self.asked += 1
        return self.values.pop(0) if len(self.values) > 1 else self.values[0]

    async def look(self) -> bytes | None:
        return _if_new(self.read())

    async def many(self, product_ids: list[str]) -> Sequence[bytes | None]:
        value = self.read()
        return [value for _ in product_ids]


def _if_new(value: bytes | None) -> bytes | None:
    return value if value == b"new" else None


def _watch(
    *, seconds_max: float = PATIENT_SECONDS, rest_seconds: float = PATIENT_SECONDS, watchers_max: int = 1
) -> CacheWatch:
    return CacheWatch(
        seconds_max=seconds_max, pause_seconds=0.005, rest_seconds=rest_seconds, watchers_max=watchers_max
    )


async def test_what_is_new_enough_is_the_answer() -> None:
    cache = _Cache(None, b"old", b"new")
    assert await _watch().until(cache.look, PATIENT_SECONDS) == b"new"
    assert cache.asked == 3


@pytest.mark.parametrize(("rest_seconds", "looks_again"), [(PATIENT_SECONDS, False), (0.0, True)])
async def test_after_one_looked_in_vain_nobody_looks_for_a_while(
    rest_seconds: float, looks_again: bool
) -> None:
    cache = _Cache(b"old")
    watch = _watch(seconds_max=0.05, rest_seconds=rest_seconds)
    assert await watch.until(cache.look, PATIENT_SECONDS) is None
    asked = cache.asked
    assert asked > 0
    cache.values = [b"new"]
    found = await watch.until(cache.look, PATIENT_SECONDS)
    assert (found, cache.asked) == ((b"new", asked + 1) if looks_again else (None, asked))


@pytest.mark.parametrize(("seconds", "watchers_max"), [(0.0, 1), (PATIENT_SECONDS, 0)])
async def test_who_does_not_wait_or_finds_too_many_others_goes_on_at_once(
    seconds: float, watchers_max: int
) -> None:
    cache = _Cache(b"new")
    assert await _watch(watchers_max=watchers_max).until(cache.look, seconds) is None
    assert cache.asked == 0


async def test_a_cache_that_goes_away_ends_the_look_and_no_reader_is_counted_any_more() -> None:
    class Away(_Cache):
        async def look(self) -> bytes | None:
            await super().look()
            raise CacheUnavailable("away")

    away = Away(None)
    watch = _watch()
    for expected in (1, 2):
        assert await watch.until(away.look, PATIENT_SECONDS) is None
        assert away.asked == expected


async def test_many_readers_look_with_one_command() -> None:
    cache = _Cache(*[b"old"] * 10, b"new")
    calls = GuardedCalls(CircuitBreaker(failures_max=1, open_seconds=1))
    reads, watch = cache_reads(calls, cache.many), _watch(watchers_max=100)

    async def look() -> bytes | None:
        return _if_new(await reads.get(str(uuid7())))

    answers = await asyncio.gather(*(watch.until(look, PATIENT_SECONDS) for _ in range(100)))
    assert answers == [b"new"] * 100
    assert cache.asked < 100
