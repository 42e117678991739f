"""Does the same for several groups of keys at once, and all of it, whatever fails."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def together(calls: Iterable[Awaitable[T]]) -> list[T]:
    """Their results in order. The first error is raised after all have ended: nothing goes on unseen.

    A single call is awaited here, so that one server costs no task.
    """
    waiting = list(calls)
    if len(waiting) == 1:
        return [await waiting[0]]
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return outcomes  # type: ignore[return-value]  # no exceptions are left
