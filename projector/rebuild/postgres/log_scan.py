"""Reads the whole event log for rebuilds and `verify`: in order, in stretches, read-only."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import cast
from uuid import UUID

from projector.applying.postgres import PostgresEventLog, recorded_event
from projector.errors import CannotGoOn
from projector.postgres.failures import translated_read
from projector.rebuild.bulk_fold import LogRow
from shared.contract.recorded_event import RecordedEvent
from shared.postgres.sql import load_sql

_SERVER = "event store"
_PACKAGE = "projector.rebuild.postgres"
STRETCH_POSITIONS = 20_000
"""Log positions that are read at a time: some megabytes."""


class PostgresLogScan(PostgresEventLog):
    """Positions are in commit order, so a stretch that was read is complete for ever."""

    async def slice_rows(self, after: int, upto: int, slices: int, which: int) -> Sequence[LogRow]:
        """One stretch of a slice. Raises `Unavailable`, `CannotGoOn`."""
        with translated_read(_SERVER):
            sql = load_sql(_PACKAGE, "scan_slice")
            rows = await self._pool.fetch(sql, after, upto, slices, which)
        await self.refuse_removed(after, upto)
        return cast("Sequence[LogRow]", rows)

    async def tail(self, after: int, upto: int, events_max: int) -> list[RecordedEvent]:
        """The events after a position. Raises `Unavailable`, `CannotGoOn`."""
        with translated_read(_SERVER):
            rows = await self._pool.fetch(load_sql(_PACKAGE, "scan_tail"), after, upto, events_max)
        await self.refuse_removed(after, upto)
        return [recorded_event(row) for row in rows]

    async def removed_partition(self, after: int, upto: int) -> str | None:
        """What is archived and removed of this range of the log; None: nothing. Raises `Unavailable`."""
        with translated_read(_SERVER):
            row = await self._pool.fetchrow(load_sql(_PACKAGE, "find_removed_partition"), after, upto)
        if row is None:
            return None
        return (
            f"positions {row['lower_position']} to {row['last_position']} of the log are archived and "
            f"removed: bring them back with `python -m command_api restore-log {row['partition_name']}`"
        )

    async def refuse_removed(self, after: int, upto: int) -> None:
        """Call it after a read: a removal is noted before the partition disappears. Raises `CannotGoOn`."""
        removed = await self.removed_partition(after, upto)
        if removed is not None:
            raise CannotGoOn(removed)

    async def published_position(self) -> int:
        """How far the relay is. Raises `Unavailable`."""
        with translated_read(_SERVER):
            return int(await self._pool.fetchval(load_sql(_PACKAGE, "select_published_position")))

    async def count_products(self, upto: int) -> int:
        """How many products there are up to a position. Raises `Unavailable`."""
        with translated_read(_SERVER):
            return int(await self._pool.fetchval(load_sql(_PACKAGE, "count_streams"), upto))

    async def stream_versions(self, page: int) -> AsyncIterator[dict[UUID, int]]:
        """Every product's newest version, in pages of `page` products. Raises `Unavailable`."""
        last: UUID | None = None
        while True:
            with translated_read(_SERVER):
                rows = await self._pool.fetch(load_sql(_PACKAGE, "select_streams"), last, page)
            if not rows:
                return
            yield dict(map(tuple, rows))
            last = rows[-1]["product_id"]

    async def sampled_versions(self, count: int) -> dict[UUID, int]:
        """Newest versions of at most `count` products, chosen at random. Raises `Unavailable`."""
        with translated_read(_SERVER):
            return dict(map(tuple, await self._pool.fetch(load_sql(_PACKAGE, "sample_streams"), count)))

    async def stream_rows(self, product_ids: Collection[UUID]) -> Sequence[LogRow]:
        """All events of these products, stream by stream. Raises `Unavailable`."""
        with translated_read(_SERVER):
            sql = load_sql(_PACKAGE, "scan_streams")
            return cast("Sequence[LogRow]", await self._pool.fetch(sql, list(product_ids)))

    async def gone(self, product_ids: Collection[UUID]) -> set[UUID]:
        """Those of them that left with a removed partition. Raises `Unavailable`."""
        with translated_read(_SERVER):
            rows = await self._pool.fetch(load_sql(_PACKAGE, "select_gone"), list(product_ids))
        return {UUID(int=row["product_id"].int) for row in rows}


def stretches(after: int, upto: int) -> list[tuple[int, int]]:
    """(after, up to) of each stretch in between."""
    return [(start, min(start + STRETCH_POSITIONS, upto)) for start in range(after, upto, STRETCH_POSITIONS)]
