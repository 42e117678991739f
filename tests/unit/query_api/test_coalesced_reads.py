"""Reads of one tick are one command; what befalls one caller does not befall another."""

import asyncio

import pytest

from query_api.errors import CacheUnavailable
from query_api.products.redis.cache_reads import KEYS_PER_BATCH_MAX, CacheReads, cache_reads
from query_api.products.redis.guarded_calls import GuardedCalls
from shared.ops.breaker import CircuitBreaker


class InMemoryMany:
    """MGET over a dict; remembers its batches, and can be held."""

    def __init__(self, values: dict[str, bytes]) -> None:
        self.values = values
        self.batches: list[list[str]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.error: Exception | None = None

    async def __call__(self, keys: list[str]) -> list[bytes | None]:
        self.batches.append(keys)
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        return [self.values.get(key) for key in keys]


class Counted:
    """Sums of (hits, misses, bypassed)."""

    def __init__(self) -> None:
        self.sums = [0, 0, 0]

    def __call__(self, *numbers: int) -> None:
        self.sums = [old + new for old, new in zip(self.sums, numbers, strict=True)]


def _reads(many: InMemoryMany, *, batches_max: int = 2, count: Counted | None = None) -> CacheReads:
    calls = GuardedCalls(CircuitBreaker(failures_max=100, open_seconds=60))
    return cache_reads(calls, many, count=count, batches_max=batches_max)


async def test_the_reads_of_one_tick_are_one_command() -> None:
    many, count = InMemoryMany({"a": b"1", "b": b"2"}), Counted()
    reads = _reads(many, count=count)
    answers = await asyncio.gather(*(reads.get(key) for key in ("a", "b", "c", "a")))
    assert answers == [b"1", b"2", None, b"1"]
    assert many.batches == [["a", "b", "c"]]
    assert count.sums == [3, 1, 0]


async def test_while_commands_are_under_way_keys_gather_for_the_next() -> None:
    many = InMemoryMany({})
    many.may_answer.clear()
    reads = _reads(many, batches_max=1)
    futures = []
    for key in ("a", "b", "c"):
        futures.append(reads.get(key))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert many.batches == [["a"]]
    many.may_answer.set()
    await asyncio.wait_for(asyncio.gather(*futures), 10)
    assert many.batches == [["a"], ["b", "c"]]


async def test_a_cancelled_caller_takes_nobody_along() -> None:
    many = InMemoryMany({"a": b"1"})
    reads = _reads(many)
    first, second = reads.get("a"), reads.get("a")
    first.cancel()
    assert await second == b"1"


async def test_every_caller_of_a_failed_command_hears_of_it_for_itself() -> None:
    many, count = InMemoryMany({}), Counted()
    many.error = ConnectionError("gone")
    reads = _reads(many, count=count)
    outcomes = await asyncio.gather(reads.get("a"), reads.get("a"), reads.get("b"), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {CacheUnavailable}
    assert len({id(outcome) for outcome in outcomes}) == 3
    assert count.sums == [0, 0, 3]


async def test_a_mistake_is_loud() -> None:
    many = InMemoryMany({})
    many.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await _reads(many).get("a")


async def test_a_command_has_a_bounded_number_of_keys() -> None:
    many = InMemoryMany({})
    reads = _reads(many)
    futures = [reads.get(str(number)) for number in range(KEYS_PER_BATCH_MAX * 2 + 1)]
    await asyncio.wait_for(asyncio.gather(*futures), 10)
    assert [len(batch) for batch in many.batches] == [KEYS_PER_BATCH_MAX, KEYS_PER_BATCH_MAX, 1]


async def test_a_read_after_an_answer_is_a_new_command() -> None:
    many = InMemoryMany({})
    reads = _reads(many)
    assert await reads.get("a") is None
    many.values["a"] = b"1"
    assert await reads.get("a") == b"1"
