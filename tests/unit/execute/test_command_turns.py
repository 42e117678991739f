"""Commands for one product wait for each other shortly, or are refused before anything was begun."""

import asyncio
from time import monotonic
from uuid import UUID

import pytest

from command_api.executing.command_turns import CommandTurns
from command_api.executing.ports import KeyInUse, StoreOverloaded
from command_api.postgres.append_wait import AppendWait
from shared.ops.overload.lanes import Lane
from shared.ops.overload.place import Place, keep_place
from shared.ops.overload.work_queue import QueueLimits, WorkQueue
from tests.eventually import eventually
from tests.executing import command_turns

PRODUCT, OTHER, KEY = UUID(int=1), UUID(int=2), UUID(int=3)


async def test_a_command_that_waits_too_long_for_its_turn_is_refused() -> None:
    turns = command_turns(seconds_max=0.01)
    async with turns.of_product(PRODUCT):
        with pytest.raises(StoreOverloaded):
            async with turns.of_product(PRODUCT):
                raise AssertionError("the turn is taken")
        async with turns.of_product(OTHER):
            pass


async def test_a_command_gets_its_turn_when_the_one_before_ends_even_with_an_error() -> None:
    turns = command_turns(seconds_max=600)
    begun = asyncio.Event()

    async def fails() -> None:
        async with turns.of_product(PRODUCT):
            await begun.wait()
            raise LookupError

    async def follows() -> str:
        async with turns.of_product(PRODUCT):
            return "done"

    failing, following = asyncio.create_task(fails()), asyncio.create_task(follows())
    await asyncio.sleep(0)
    begun.set()
    assert await following == "done"
    with pytest.raises(LookupError):
        await failing


async def test_a_command_whose_key_is_in_use_for_too_long_is_refused() -> None:
    turns = command_turns(key_seconds_max=0.01)
    async with turns.of_key(KEY):
        assert turns.key_is_taken(KEY)
        with pytest.raises(KeyInUse):
            async with turns.of_key(KEY):
                raise AssertionError("the turn is taken")
    assert not turns.key_is_taken(KEY)


async def test_who_waits_for_a_key_gives_its_place_to_others() -> None:
    queue = WorkQueue(QueueLimits(1, 600, 600), [Lane("commands")], clock=monotonic)
    place = Place(queue, "commands")
    await place.enter()
    keep_place(place)
    turns = command_turns(key_seconds_max=600)
    async with turns.of_key(KEY):
        second = asyncio.create_task(_take_key(turns))
        await eventually(lambda: _must_be(queue.at_work, 0))
    assert await second > 0
    assert queue.at_work == 1


async def test_what_a_command_has_waited_before_counts_for_its_product() -> None:
    turns = command_turns(seconds_max=600)
    async with turns.of_product(PRODUCT, 20.0) as waited_seconds:
        assert waited_seconds == 20.0  # the turn was free
        with pytest.raises(StoreOverloaded):
            async with turns.of_product(PRODUCT, 600.0):
                raise AssertionError("the turn is taken")


async def _take_key(turns: CommandTurns) -> float:
    async with turns.of_key(KEY) as waited_seconds:
        return waited_seconds


def _must_be(value: int, expected: int) -> None:
    assert value == expected


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
