"""Waiting for what happens elsewhere, without sleeping for a guessed time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
_PAUSE_SECONDS_FIRST = 0.01
_PAUSE_SECONDS_MAX = 0.2


async def eventually(assertion: Callable[[], Awaitable[T] | T], seconds_max: float = 60.0) -> T:
    """Call a plain or async `assertion` until it no longer raises AssertionError, and return its value.

    After `seconds_max` the last AssertionError is raised. Any other error is raised at once.
    """
    deadline, pause = time.monotonic() + seconds_max, _PAUSE_SECONDS_FIRST
    while True:
        try:
            outcome = assertion()
            return await outcome if inspect.isawaitable(outcome) else outcome
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, _PAUSE_SECONDS_MAX)


def eventually_blocking(assertion: Callable[[], T], seconds_max: float = 60.0) -> T:
    """The same for tests without an event loop."""
    deadline, pause = time.monotonic() + seconds_max, _PAUSE_SECONDS_FIRST
    while True:
        try:
            return assertion()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        time.sleep(pause)
        pause = min(pause * 2, _PAUSE_SECONDS_MAX)
