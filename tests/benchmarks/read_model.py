"""Looks at the read model of a system by SQL, whoever keeps it, and compares it with its event log.

An event store is no better than its projections: one that is fast because it lost events is not fast.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import asyncpg

from tests.benchmarks.light_client import Answer

# Between two looks at the rows that somebody waits for; all of them in one statement.
LOOK_SECONDS = 0.002
# A row that is not there by then counts as seen at that moment: it may never come.
SEEN_SECONDS_MAX = 10.0
_PROGRESS_SECONDS = 0.2
# A projection that applies nothing for so long is at its end. Emmett's consumer sleeps for up to 1 s.
STILL_SECONDS_MAX = 10.0


@dataclass(frozen=True)
class Statements:
    """What is asked of the log and of the read model. Each product is (id, version, amount, events)."""

    log: str
    rows: str
    versions: str
    """Id and version of the products in $1."""
    applied: str
    """How many events are in the rows."""


class Row(NamedTuple):
    """A product: `events` is how many made it what it is."""

    version: int
    amount: Decimal
    events: int


@dataclass(frozen=True)
class Compared:
    """A read model beside its log, in products."""

    products: int
    missing: int = 0
    behind: int = 0
    wrong: int = 0
    """They have the newest version, and another price or fewer events than the log."""

    @property
    def lost(self) -> int:
        """Products that differ from the log."""
        return self.missing + self.behind + self.wrong


def compare(log: Mapping[UUID, Row], rows: Mapping[UUID, Row]) -> Compared:
    """Raises RuntimeError if the read model has more than the log."""
    if not rows.keys() <= log.keys():
        raise RuntimeError("the read model has products that are not in the log")
    there = {product_id: (log[product_id], row) for product_id, row in rows.items()}
    behind = sum(row.version < expected.version for expected, row in there.values())
    wrong = sum(row.version >= expected.version and row != expected for expected, row in there.values())
    return Compared(len(log), len(log) - len(rows), behind, wrong)


class ReadModel:
    """One connection to the log and one to the read model."""

    def __init__(self, log: "asyncpg.Connection", view: "asyncpg.Connection", statements: Statements) -> None:
        self._log, self._view, self._sql = log, view, statements
        self._waiting: dict[asyncio.Future[None], tuple[UUID, int]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def see(self, answer: Answer) -> None:
        """Return when the row of a command's product has at least the version in its answer, or after
        `SEEN_SECONDS_MAX`.
        """
        written = answer.json()
        seen: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[seen] = (UUID(written["id"]), written["version"])
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        both = [seen, self._looking]
        done, _ = await asyncio.wait(both, timeout=SEEN_SECONDS_MAX, return_when=asyncio.FIRST_COMPLETED)
        self._waiting.pop(seen, None)
        if self._looking in done and not seen.done():
            self._looking.result()

    async def _look(self) -> None:
        while self._waiting:
            wanted = list({product_id for product_id, _ in self._waiting.values()})
            found = await self._view.fetch(self._sql.versions, wanted)
            versions = {each[0]: each[1] for each in found}
            for seen, (product_id, version) in list(self._waiting.items()):
                if versions.get(product_id, 0) >= version:
                    del self._waiting[seen]
                    seen.set_result(None)
            await asyncio.sleep(LOOK_SECONDS)

    async def until_all(self) -> float:
        """Return when all events of the log are applied, or nothing more is applied. The result is how many
        seconds ago the last event was.
        """
        log = sum(row.events for row in (await self._products(self._log, self._sql.log)).values())
        applied, last = -1, time.perf_counter()
        while time.perf_counter() - last < STILL_SECONDS_MAX:
            newer = await self._view.fetchval(self._sql.applied)
            if newer > applied:
                applied, last = newer, time.perf_counter()
            if applied >= log:
                break
            await asyncio.sleep(_PROGRESS_SECONDS)
        return time.perf_counter() - last

    async def compared(self) -> Compared:
        """With its log, once nothing is written any more."""
        log = await self._products(self._log, self._sql.log)
        return compare(log, await self._products(self._view, self._sql.rows))

    async def _products(self, connection: "asyncpg.Connection", statement: str) -> dict[UUID, Row]:
        return {
            product_id: Row(version, amount, events)
            for product_id, version, amount, events in await connection.fetch(statement)
        }


@asynccontextmanager
async def reading(log_dsn: str, view_dsn: str, statements: Statements) -> AsyncIterator[ReadModel]:
    """Connections for the time of the block."""
    log, view = await asyncpg.connect(log_dsn), await asyncpg.connect(view_dsn)
    try:
        yield ReadModel(log, view, statements)
    finally:
        await log.close()
        await view.close()
