"""How long an issuer's keys count, and when it is asked, with time as a value."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.access.errors import KeysUnavailable
from shared.access.issuer_keys import IssuerKeys, KeyTimes
from shared.access.keys import PublicKey
from tests.eventually import eventually
from tests.tokens import public_keys

TIMES = KeyTimes(refresh=300, cool_down=10, stale_max=3600)


class _World:
    """An issuer in memory; each fetch waits until `lets_answer`."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.published = public_keys("first")
        self.is_away = False
        self.fetches = 0
        self.lets_answer = asyncio.Event()
        self.lets_answer.set()
        self.keys = IssuerKeys(self._fetch, TIMES, lambda: self.now)

    async def _fetch(self) -> dict[str, PublicKey]:
        self.fetches += 1
        await self.lets_answer.wait()
        if self.is_away:
            raise KeysUnavailable("away")
        return self.published


@pytest.fixture
async def world() -> AsyncIterator[_World]:
    made = _World()
    yield made
    await made.keys.close()


async def test_callers_that_come_together_share_one_fetch(world: _World) -> None:
    found = await asyncio.gather(*(world.keys.find("first") for _ in range(50)))
    assert (world.fetches, None in found) == (1, False)


async def test_invented_key_ids_ask_the_issuer_no_more_often_than_the_cool_down(world: _World) -> None:
    for number in range(100):
        assert await world.keys.find(f"invented-{number}") is None
    assert world.fetches == 1
    world.now += TIMES.cool_down
    assert await world.keys.find("invented") is None
    assert world.fetches == 2


async def test_a_new_key_is_found_at_once_after_the_cool_down(world: _World) -> None:
    assert await world.keys.find("first") is not None
    world.published = public_keys("first", "second")
    assert await world.keys.find("second") is None
    world.now += TIMES.cool_down
    assert await world.keys.find("second") is not None


async def test_a_known_key_never_waits_for_the_issuer(world: _World) -> None:
    assert await world.keys.find("first") is not None
    world.now += TIMES.refresh + 1
    world.lets_answer.clear()
    assert await world.keys.find("first") is not None
    await eventually(lambda: _equal(world.fetches, 2))
    world.lets_answer.set()


async def test_a_key_that_the_issuer_took_back_counts_no_longer_after_the_next_fetch(world: _World) -> None:
    assert await world.keys.find("first") is not None
    world.published = public_keys("second")
    world.now += TIMES.refresh + 1
    await world.keys.find("first")

    async def is_gone() -> None:
        assert await world.keys.find("first") is None

    await eventually(is_gone)


async def test_while_the_issuer_is_away_its_keys_count_up_to_the_bound_and_no_longer(world: _World) -> None:
    assert await world.keys.find("first") is not None
    world.is_away = True
    world.now += TIMES.stale_max
    assert await world.keys.find("first") is not None
    world.now += 1 + TIMES.cool_down
    with pytest.raises(KeysUnavailable):
        await world.keys.find("first")
    world.is_away = False
    world.now += TIMES.cool_down
    assert await world.keys.find("first") is not None


async def test_an_unknown_key_may_be_new_while_the_issuer_is_away(world: _World) -> None:
    assert await world.keys.find("first") is not None
    world.is_away = True
    world.now += TIMES.cool_down
    with pytest.raises(KeysUnavailable):
        await world.keys.find("second")
    with pytest.raises(KeysUnavailable):
        await world.keys.find("second")
    assert world.fetches == 2


async def test_an_issuer_that_is_away_is_asked_no_more_often_than_the_cool_down(world: _World) -> None:
    world.is_away = True
    for _ in range(100):
        with pytest.raises(KeysUnavailable):
            await world.keys.find("first")
    assert world.fetches == 1


def _equal(found: int, wanted: int) -> None:
    assert found == wanted
