"""Gives turns per key, in the order of arrival, so that requests of one process with one idempotency key do
not race.

Otherwise a repeated request could be decided while the first one is still being written. Requests of other
processes still race; the event store writes the key once.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Turns:
    """Locks by key; keys without holder and waiters use no memory."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, asyncio.Lock] = {}
        self._users: dict[Hashable, int] = {}

    def is_taken(self, key: Hashable) -> bool:
        """Whether a caller has this key's turn now, so that the next one waits."""
        return key in self._users

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncIterator[None]:
        """Wait for the key's turn; the next one begins at the end of the block."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] = self._users.get(key, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]
