"""The primary that the sentinels name: asked for with each connection, and once a second while one is used.

A primary that was cut off from its sentinels does not know that another one has its place: it goes on
answering, and takes writes that are lost later. Its clients have to ask.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from shared.redis.address import Place
from shared.redis.agreement import agreed

LOOK_SECONDS = 1.0


class Questions(Protocol):
    """Asks one sentinel. Raises redis-py's errors."""

    async def ask(self, sentinel: Place, name: str) -> Place | None:
        """Where the primary of this name is; None: the sentinel does not know the name."""

    async def close(self) -> None:
        """Disconnect."""


class Primary:
    """Shared by the connections of one client."""

    def __init__(self, sentinels: Sequence[Place], name: str, questions: Questions) -> None:
        self._sentinels = sentinels
        self._name = name
        self._questions = questions
        self._known: Place | None = None
        self._next_look = 0.0
        self._looking: asyncio.Task[Place] | None = None

    async def place(self) -> Place:
        """Callers at the same time share the question. Raises redis-py's errors."""
        return await asyncio.shield(self._look())

    def is_elsewhere(self, place: Place) -> bool:
        """Whether another server is the primary as far as is known; a new look is begun where it is due."""
        if time.monotonic() >= self._next_look:
            self._look()
        return self._known is not None and self._known != place

    async def close(self) -> None:
        """Ask no more, and disconnect."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError, RedisError):
                await self._looking
        await self._questions.close()

    def _look(self) -> "asyncio.Task[Place]":
        if self._looking is None or self._looking.done():
            self._next_look = time.monotonic() + LOOK_SECONDS
            self._looking = asyncio.create_task(self._asked())
            self._looking.add_done_callback(_retrieved)
        return self._looking

    async def _asked(self) -> Place:
        self._known = await agreed([self._asked_one(sentinel) for sentinel in self._sentinels])
        return self._known

    async def _asked_one(self, sentinel: Place) -> Place:
        place = await self._questions.ask(sentinel, self._name)
        if place is None:
            raise RedisConnectionError(f"a sentinel does not know the primary {self._name!r}")
        return place


def _retrieved(task: "asyncio.Task[Place]") -> None:
    """Nobody may be waiting for a look in between; the next one tells of the same error."""
    if not task.cancelled():
        task.exception()
