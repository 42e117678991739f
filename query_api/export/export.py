"""Exports the catalogue: a bounded number of snapshots at the same time, each for a bounded time.

PostgreSQL keeps every version of a row that an open snapshot may still read, in all tables, so an export that
a client reads slowly would make the read model grow.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from query_api.applied import Applied
from query_api.consistency.visibility import Consistency, Visibility
from query_api.errors import Overloaded
from query_api.export.ports import Sink, Snapshot, Snapshots
from shared.ops.metrics.requests import EXPORTS


class TooSlow(Exception):
    """The client did not read the whole export in time."""


class ExportCatalogue:
    """The use case. At most `exports_max` run; the documents of one are sent within `seconds_max`."""

    def __init__(
        self, snapshots: Snapshots, visibility: Visibility, *, exports_max: int, seconds_max: float
    ) -> None:
        self._snapshots = snapshots
        self._visibility = visibility
        self._exports_max = exports_max
        self._seconds_max = seconds_max
        self.running = 0

    @asynccontextmanager
    async def begin(
        self, statuses: tuple[str, ...], consistency: Consistency | None = None
    ) -> AsyncIterator[Snapshot]:
        """A snapshot, until the end of the block. Raises `Unavailable`: `Overloaded` beyond the limit."""
        if self.running >= self._exports_max:
            raise Overloaded(EXPORTS, f"{self.running} exports run already, and that is the limit")
        self.running += 1
        try:
            async with AsyncExitStack() as stack:

                async def opened(applied: Applied | None) -> Snapshot:
                    return await stack.enter_async_context(self._snapshots.open(statuses, applied))

                if consistency is None:
                    yield await opened(None)
                else:
                    yield await self._visibility.read(consistency, opened)
        finally:
            self.running -= 1

    async def send(self, snapshot: Snapshot, sink: Sink) -> None:
        """All documents. Raises `TooSlow`, `ReadModelUnavailable`."""
        try:
            async with asyncio.timeout(self._seconds_max):
                await snapshot.send_documents(sink)
        except TimeoutError as error:
            raise TooSlow(f"not read within {self._seconds_max:g} s") from error
