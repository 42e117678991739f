"""Verified tokens are remembered, but not for long, and not too many."""

import pytest

from shared.access.errors import InvalidToken
from shared.access.guard import Guard
from shared.access.refusal_log import RefusalLog
from shared.access.scopes import Scope
from shared.access.tokens import TokenVerifier
from shared.ops.settings import ProcessSettings
from tests.in_memory.keys import InMemoryKeys
from tests.tokens import RULES, public_keys, token

NOW = 1_800_000_000.0


class _World:
    def __init__(self) -> None:
        self.now = NOW
        self.keys = InMemoryKeys(public_keys("first"))
        self.guard = Guard(
            TokenVerifier(self.keys, RULES, lambda: self.now),
            RefusalLog(ProcessSettings(_env_file=None)),  # type: ignore[call-arg]
            known_max=2,
            known_seconds_max=60,
            clock=lambda: self.now,
        )


def _token(subject: str = "ann", *, seconds: int = 3600) -> bytes:
    return token([Scope.OPS_READ], sub=subject, iat=int(NOW), exp=int(NOW) + seconds).encode()


@pytest.fixture
def world() -> _World:
    return _World()


async def test_a_token_is_known_after_it_was_verified(world: _World) -> None:
    made = _token()
    assert world.guard.known(made) is None
    caller = await world.guard.caller(made)
    assert world.guard.known(made) is caller
    world.keys.is_away = True
    assert await world.guard.caller(made) is caller


async def test_a_key_that_is_taken_back_counts_no_longer_than_tokens_are_known(world: _World) -> None:
    made = _token()
    await world.guard.caller(made)
    world.keys.keys = public_keys("second")
    world.now += 59.9
    await world.guard.caller(made)
    world.now += 0.1
    assert world.guard.known(made) is None
    with pytest.raises(InvalidToken):
        await world.guard.caller(made)


async def test_a_known_token_expires_like_any_other(world: _World) -> None:
    made = _token(seconds=10)
    await world.guard.caller(made)
    world.now += 10
    assert world.guard.known(made) is None
    world.now += RULES.leeway_seconds
    with pytest.raises(InvalidToken, match="expired"):
        await world.guard.caller(made)


async def test_a_refused_token_is_never_known(world: _World) -> None:
    bad = _token(seconds=-3600)
    with pytest.raises(InvalidToken):
        await world.guard.caller(bad)
    assert world.guard.known(bad) is None


async def test_a_token_that_was_accepted_stays_so_until_it_expires_or_is_refused(world: _World) -> None:
    long, short, never = _token("a"), _token("b", seconds=100), _token("c", seconds=-3600)
    await world.guard.caller(long)
    await world.guard.caller(short)
    with pytest.raises(InvalidToken):
        await world.guard.caller(never)
    world.now += 99
    assert [world.guard.known(each) for each in (long, short)] == [None, None]
    assert [world.guard.was_accepted(each) for each in (long, short, never)] == [True, True, False]
    world.now += 1
    assert [world.guard.was_accepted(each) for each in (long, short)] == [True, False]
    world.keys.keys = public_keys("second")
    with pytest.raises(InvalidToken):
        await world.guard.caller(long)
    assert not world.guard.was_accepted(long)


async def test_of_too_many_tokens_those_that_are_used_stay_known(world: _World) -> None:
    first, second, third = _token("a"), _token("b"), _token("c")
    await world.guard.caller(first)
    await world.guard.caller(second)
    await world.guard.caller(first)
    await world.guard.caller(third)
    assert [world.guard.known(each) is not None for each in (first, second, third)] == [True, False, True]
