"""Commands for one product wait for each other shortly, or are refused before anything was begun."""

import asyncio
from uuid import UUID

import pytest

from command_api.executing.ports import StoreOverloaded
from command_api.executing.product_turns import ProductTurns
from command_api.postgres.append_wait import AppendWait

PRODUCT, OTHER = UUID(int=1), UUID(int=2)


async def test_a_command_that_waits_too_long_for_its_turn_is_refused() -> None:
    turns = ProductTurns(seconds_max=0.01)
    async with turns.of(PRODUCT):
        with pytest.raises(StoreOverloaded):
            async with turns.of(PRODUCT):
                raise AssertionError("the turn is taken")
        async with turns.of(OTHER):
            pass


async def test_a_command_gets_its_turn_when_the_one_before_ends_even_with_an_error() -> None:
    turns = ProductTurns(seconds_max=600)
    begun = asyncio.Event()

    async def fails() -> None:
        async with turns.of(PRODUCT):
            await begun.wait()
            raise LookupError

    async def follows() -> str:
        async with turns.of(PRODUCT):
            return "done"

    failing, following = asyncio.create_task(fails()), asyncio.create_task(follows())
    await asyncio.sleep(0)
    begun.set()
    assert await following == "done"
    with pytest.raises(LookupError):
        await failing


def test_commands_that_fit_into_the_next_call_wait_for_nothing_however_slow_calls_are() -> None:
    wait = AppendWait(batch_commands_max=100)
    wait.note_call(60.0)
    assert wait.expected_seconds(99) == 0.0


def test_a_command_waits_for_as_many_calls_as_the_queue_fills() -> None:
    wait = AppendWait(batch_commands_max=100)
    assert wait.expected_seconds(1000) == 0.0  # nothing measured yet
    wait.note_call(0.5)
    assert wait.expected_seconds(250) == 1.0


def test_one_slow_call_among_fast_ones_changes_the_expectation_only_for_a_while() -> None:
    wait = AppendWait(batch_commands_max=1)
    wait.note_call(0.01)
    wait.note_call(1.0)
    after_one = wait.expected_seconds(1)
    for _ in range(20):
        wait.note_call(0.01)
    assert after_one > 0.2
    assert wait.expected_seconds(1) < 0.02
