"""Grouped reads: the look-ups that wait at this moment go out as one query, as appends do.

At most one query of a kind is under way; what comes meanwhile rides with the next one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Generic, TypeVar

from command_api.executing.ports import StoreUnavailable
from shared.postgres.errors import is_transient

K = TypeVar("K")
V = TypeVar("V")
Fetch = Callable[[list[K]], Awaitable[Mapping[K, V]]]


class GroupedRead(Generic[K, V]):
    """`await read.get(key)`: the value, or None where the query finds none."""

    def __init__(self, fetch: "Fetch[K, V]", *, keys_max: int) -> None:
        self._fetch = fetch
        self._keys_max = keys_max
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """Raises `StoreUnavailable` when the store cannot be reached; a second try was made then."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_all())
        return await asyncio.shield(future)

    async def _read_all(self) -> None:
        while self._waiting:
            keys = [key for key, _ in zip(self._waiting, range(self._keys_max), strict=False)]
            futures = [self._waiting.pop(key) for key in keys]
            try:
                found = await self._fetch_twice(keys)
            except Exception as error:
                _fail(futures, error)
                continue
            for key, future in zip(keys, futures, strict=True):
                if not future.done():
                    future.set_result(found.get(key))

    async def _fetch_twice(self, keys: list[K]) -> Mapping[K, V]:
        """Once more after a transient error: a pooled connection may have died since it was last used."""
        try:
            return await self._fetch(keys)
        except Exception as error:
            if not is_transient(error):
                raise
        try:
            return await self._fetch(keys)
        except Exception as error:
            if not is_transient(error):
                raise
            raise StoreUnavailable("the event store cannot be reached") from error


def _fail(futures: Iterable["asyncio.Future[V | None]"], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
            future.exception()  # seen: a client that hung up leaves nobody to look
