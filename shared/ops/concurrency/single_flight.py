"""Runs one load at a time per key: a thousand readers of an evicted product must not make a thousand
queries.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SingleFlight(Generic[K, V]):
    """Callers that ask for a key while it is being loaded share that load's outcome, errors included.

    So a result may be as old as the start of the load: a read that must see a certain write loads by itself.
    If a caller is cancelled, the load continues for the others.
    """

    def __init__(self) -> None:
        self._flights: dict[K, asyncio.Task[V]] = {}

    async def run(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        """The outcome of the load in flight for `key`, or of a new one."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._fly(key, load))
        return await asyncio.shield(flight)

    async def _fly(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        try:
            return await load()
        finally:
            del self._flights[key]
