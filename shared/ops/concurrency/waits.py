"""Waits that can end early: a pause that a shutdown ends, work that a lost lock ends."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

CANCEL_AGAIN_SECONDS = 5.0
"""Longer than what a cancelled task may take to close its connections."""
_SHARED_TURN_SECONDS_MAX = 1.0
# The processes of a machine have the same clock, and are not to ask the servers all at once.
_phase_seconds = random.random()  # noqa: S311
T = TypeVar("T")


async def pause(seconds: float, event: asyncio.Event) -> None:
    """Wait for `seconds`, or until `event` is set: a shutdown, or new work."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def until_turn(seconds: float, clock: Callable[[], float] = time.monotonic) -> float:
    """About `seconds`, and at least half of it: until all loops of this process with the same interval, of at
    most a second, take their turns. A wake-up for each of them costs more than most of their turns.
    """
    if not 0 < seconds <= _SHARED_TURN_SECONDS_MAX:
        return seconds
    left = seconds - (clock() + _phase_seconds) % seconds
    return left if left >= seconds / 2 else left + seconds


async def every(seconds: float, stop: asyncio.Event, work: Callable[[], Awaitable[object]]) -> None:
    """Run `work` at once, and again at the next turn of loops with this interval, until `stop`.

    Raises its error.
    """
    while not stop.is_set():
        await work()
        await pause(until_turn(seconds), stop)


@asynccontextmanager
async def beside(read: Coroutine[Any, Any, T]) -> AsyncIterator["asyncio.Task[T]"]:
    """A read that runs beside the body; it is cancelled when the body ends or fails."""
    task = asyncio.create_task(read)
    try:
        yield task
    finally:
        await cancelled(task)


async def run_until(
    end: Coroutine[Any, Any, object], work: Coroutine[Any, Any, None], *, finish_seconds_max: float = 0.0
) -> bool:
    """Run `work` until it ends, or `end` does; then it may take `finish_seconds_max` more and is cancelled.

    Returns whether `work` came to its own end. Raises its error.
    """
    working, ending = asyncio.create_task(work), asyncio.create_task(end)
    try:
        await asyncio.wait((working, ending), return_when=asyncio.FIRST_COMPLETED)
        if not working.done() and finish_seconds_max > 0:
            await asyncio.wait((working,), timeout=finish_seconds_max)
        if working.done():
            working.result()
        return working.done()
    finally:
        await cancelled(working, ending)


async def cancelled(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel the tasks and wait for their end, however long it takes; their errors are dropped.

    The stops of a process and of its server are bounded, so they do not call this: they go on without a task
    that does not end.
    """
    await _end(tasks)
    await asyncio.gather(*tasks, return_exceptions=True)


async def stopped(task: "asyncio.Task[Any]") -> None:
    """Cancel a background task and wait for its end; an error that it has ended with goes to the event loop's
    handler, which logs it (`Task.cancel` alone would silence it).
    """
    await _end([task])
    if not task.cancelled() and (error := task.exception()) is not None:
        context = {"message": "a background task failed", "exception": error, "task": task}
        task.get_loop().call_exception_handler(context)


async def _end(tasks: Sequence["asyncio.Task[Any]"]) -> None:
    """Cancel them until they have ended: `asyncio.wait_for` of Python 3.11 loses a cancellation that arrives
    as its future completes (https://github.com/python/cpython/issues/86296), and libraries use it.
    """
    running: Collection[asyncio.Task[Any]] = tasks
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=CANCEL_AGAIN_SECONDS)
