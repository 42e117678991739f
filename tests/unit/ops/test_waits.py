"""Waits end with what they are for."""

import asyncio
from collections.abc import Awaitable, Callable
from math import remainder

import pytest

from shared.ops.concurrency import waits
from shared.ops.concurrency.waits import cancelled, every, pause, run_until, stopped, until_turn

FOR_EVER_SECONDS = 3600.0


async def test_a_pause_ends_with_its_event_or_its_time() -> None:
    stop = asyncio.Event()
    await pause(0, stop)
    assert not stop.is_set()
    asyncio.get_running_loop().call_soon(stop.set)
    async with asyncio.timeout(10):
        await pause(FOR_EVER_SECONDS, stop)
    assert stop.is_set()


async def test_work_that_recurs_ends_with_the_stop() -> None:
    stop, turns = asyncio.Event(), []

    async def work() -> None:
        turns.append(len(turns))
        if len(turns) == 3:
            stop.set()

    async with asyncio.timeout(10):
        await every(0, stop, work)
    assert turns == [0, 1, 2]


@pytest.mark.parametrize("seconds", [1.0, 0.25])
def test_loops_with_the_same_interval_take_their_turns_together_whenever_the_last_ones_ended(
    seconds: float,
) -> None:
    ends = [1000.0 + number * 0.013 for number in range(400)]
    turns = [end + until_turn(seconds, lambda end=end: end) for end in ends]  # type: ignore[misc]
    apart = [abs(remainder(turn - turns[0], seconds)) for turn in turns]
    assert max(apart) < 1e-6
    assert all(seconds / 2 <= turn - end <= seconds * 1.5 for turn, end in zip(turns, ends, strict=True))


def test_a_long_interval_is_one_from_each_end() -> None:
    assert [until_turn(seconds, lambda: 1.3) for seconds in (0, 1.5, FOR_EVER_SECONDS)] == [
        0,
        1.5,
        FOR_EVER_SECONDS,
    ]


async def test_work_that_ends_first_has_come_to_its_own_end() -> None:
    async def work() -> None:
        await asyncio.sleep(0)

    assert await run_until(asyncio.sleep(FOR_EVER_SECONDS), work())


async def test_work_is_cancelled_when_its_end_comes_and_what_it_holds_is_let_go_before_the_return() -> None:
    let_go = False

    async def work() -> None:
        nonlocal let_go
        try:
            await asyncio.sleep(FOR_EVER_SECONDS)
        finally:
            await asyncio.sleep(0)
            let_go = True

    async with asyncio.timeout(10):
        assert not await run_until(asyncio.sleep(0), work())
    assert let_go


async def test_work_may_finish_after_its_end_has_come() -> None:
    end = asyncio.Event()

    async def work() -> None:
        end.set()
        for _ in range(20):
            await asyncio.sleep(0)

    async with asyncio.timeout(10):
        assert await run_until(end.wait(), work(), finish_seconds_max=FOR_EVER_SECONDS)


@pytest.mark.parametrize("finish_seconds_max", [0.0, FOR_EVER_SECONDS])
async def test_the_error_of_work_is_raised(finish_seconds_max: float) -> None:
    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await run_until(asyncio.sleep(FOR_EVER_SECONDS), work(), finish_seconds_max=finish_seconds_max)


async def test_a_background_task_that_had_failed_is_reported_to_the_event_loop() -> None:
    reported: list[object] = []
    loop = asyncio.get_running_loop()
    handler = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: reported.append(context.get("exception")))

    async def work() -> None:
        raise ZeroDivisionError

    try:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        await stopped(task)
    finally:
        loop.set_exception_handler(handler)
    assert [type(error) for error in reported] == [ZeroDivisionError]


@pytest.mark.parametrize("end", [cancelled, stopped])
async def test_a_task_that_has_lost_its_first_cancellation_ends_all_the_same(
    end: Callable[["asyncio.Task[None]"], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits, "CANCEL_AGAIN_SECONDS", 0.01)
    losses = 0

    async def careless() -> None:
        nonlocal losses
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            losses += 1
        await asyncio.Event().wait()

    task = asyncio.create_task(careless())
    await asyncio.sleep(0)
    await end(task)
    assert (task.cancelled(), losses) == (True, 1)
