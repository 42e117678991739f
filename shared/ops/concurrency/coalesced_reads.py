"""Combines many reads into one command: the keys of one event-loop tick are sent together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from shared.ops.concurrency.tick_batches import TickBatches

K = TypeVar("K")
V = TypeVar("V")
ReadMany = Callable[[list[K]], Awaitable[Sequence[V | None]]]
Count = Callable[[int, int, int], None]


class CoalescedReads(Generic[K, V]):
    """One look-up for many callers at once.

    If a command raises `unavailable` or is cancelled, each caller gets an `unavailable` of its own: a shared
    exception would collect the tracebacks of all callers. Every other error is a bug, and is raised as it is.
    `count` gets the numbers (found, missing, failed) of each batch, counted by caller.
    """

    def __init__(
        self,
        read_many: "ReadMany[K, V]",
        *,
        unavailable: type[Exception],
        keys_max: int,
        batches_max: int = 1,
        count: Count | None = None,
    ) -> None:
        self._read_many = read_many
        self._unavailable = unavailable
        self._count = count
        self._batches: TickBatches[K, V | None] = TickBatches(
            self._read, keys_max=keys_max, batches_max=batches_max
        )

    def get(self, key: K) -> "asyncio.Future[V | None]":
        """The value, or None if there is none."""
        return self._batches.get(key)

    async def _read(self, batch: "dict[K, list[asyncio.Future[V | None]]]") -> None:
        try:
            values = await self._read_many(list(batch))
        except BaseException as error:
            # A cancellation at shutdown must reach the callers, too: a future that is not set waits for ever.
            self._fail(batch, error)
            return
        found = missing = 0
        for futures, value in zip(batch.values(), values, strict=True):
            if value is None:
                missing += len(futures)
            else:
                found += len(futures)
            for future in futures:
                if not future.done():
                    future.set_result(value)
        if self._count is not None:
            self._count(found, missing, 0)

    def _fail(self, batch: "dict[K, list[asyncio.Future[V | None]]]", error: BaseException) -> None:
        for futures in batch.values():
            for future in futures:
                if not future.done():
                    future.set_exception(self._for_one_caller(error))
                    future.exception()  # mark as retrieved: a caller that has hung up does not read it
        if self._count is not None:
            self._count(0, 0, sum(map(len, batch.values())))

    def _for_one_caller(self, error: BaseException) -> Exception:
        if isinstance(error, self._unavailable):
            own = self._unavailable(str(error))
            own.__cause__ = error.__cause__
            return own
        return error if isinstance(error, Exception) else self._unavailable("the process stops")
