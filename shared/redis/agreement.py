"""Asks several servers at once: one that does not answer costs no time, and one with old news is outvoted.

Nodes and sentinels on the smaller side of a broken network still name the old primary.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Collection
from typing import TypeVar

T = TypeVar("T")


async def agreed(questions: Collection[Awaitable[T]]) -> T:
    """What more than half of them say, as soon as they have; else what most say, when all have answered.

    Raises the error of one of them if none has an answer.
    """
    tasks = [asyncio.ensure_future(question) for question in questions]
    said: Counter[T] = Counter()
    errors: list[BaseException] = []
    try:
        for answer in asyncio.as_completed(tasks):
            try:
                said[await answer] += 1
            except Exception as error:
                errors.append(error)
                continue
            if max(said.values()) > len(tasks) / 2:
                break
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if not said:
        raise errors[0]
    return said.most_common(1)[0][0]
