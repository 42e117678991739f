"""Waits that end with what they are for: a read beside the work, a pause that a shutdown cuts short."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")


@asynccontextmanager
async def beside(read: Coroutine[Any, Any, T]) -> AsyncIterator["asyncio.Task[T]"]:
    """A read that runs beside the body, and is ended with it when the body fails."""
    task = asyncio.create_task(read)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def pause(seconds: float, stop: asyncio.Event) -> None:
    """Wait so long, or until `stop`."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
