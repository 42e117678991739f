"""Commands of one process for one product do not race each other."""

import asyncio

from shared.ops.concurrency.turns import Turns


async def test_those_of_one_key_take_turns_in_the_order_of_arrival() -> None:
    turns, seen, inside = Turns(), [], 0

    async def visit(number: int) -> None:
        nonlocal inside
        async with turns.of("shirt"):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0)
            seen.append(number)
            inside -= 1

    await asyncio.gather(*map(visit, range(20)))
    assert seen == list(range(20))


async def test_other_keys_do_not_wait() -> None:
    turns = Turns()
    async with turns.of("shirt"), asyncio.timeout(5), turns.of("hat"):
        pass


async def test_nothing_is_kept_of_a_key_that_nobody_uses_even_after_an_error() -> None:
    turns = Turns()
    try:
        async with turns.of("shirt"):
            raise RuntimeError("in the middle")
    except RuntimeError:
        pass
    assert not turns._locks
    assert not turns._users
