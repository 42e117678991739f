"""Compares a shadow with the live view at one position, by counts and hashes of buckets.

The live view is read in one snapshot, together with its checkpoints; the shadow is then brought to exactly
those checkpoints, partition by partition. Products that one of the two could not fold are left out and
counted.
"""

import hashlib
from typing import TYPE_CHECKING
from uuid import UUID

from projector.rebuild.difference import REBUILT
from projector.rebuild.ports import CatchingUp, Comparison
from projector.rebuild.postgres.rows import row_difference
from shared.contract.addresses import partition_of
from shared.contract.recorded_event import RecordedEvent
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

_PACKAGE = "projector.rebuild.postgres"
_ROWS_SHOWN_MAX = 5
_BUCKETS_SHOWN_MAX = 16
_LONG_SECONDS = 86_400.0
Checksums = dict[tuple[str, int], tuple[int, str]]
"""(table, bucket) -> (rows, hash)."""


async def compare(
    pool: "asyncpg.Pool[asyncpg.Record]",
    projection: str,
    topic: str,
    partition_count: int,
    catch_up: CatchingUp,
) -> Comparison:
    """Raises asyncpg's errors and those of the catch-up."""
    async with (
        pool.acquire() as live,
        live.transaction(isolation="repeatable_read", readonly=True),
        pool.acquire() as shadow,
    ):
        await live.execute(load_sql(_PACKAGE, "without_time_limit"))
        rows = await live.fetch(load_sql(_PACKAGE, "read_checkpoints"), projection, topic)
        reached: dict[int, int] = {row["partition"]: row["log_position"] for row in rows}

        def is_live(event: RecordedEvent) -> bool:
            return event.log_position <= reached.get(partition_of(event.product_id, partition_count), 0)

        await catch_up.apply(max(reached.values(), default=0), is_live)
        parked = await live.fetch(load_sql(_PACKAGE, "select_parked_product_ids"), projection)
        without = sorted({row["product_id"] for row in parked} | catch_up.failed)
        ours = await _checksums(live, projection, "views", without)
        async with shadow.transaction():
            await shadow.execute(load_sql(_PACKAGE, "without_time_limit"))
            theirs = await _checksums(shadow, projection, "views_shadow", without)
            wrong = sorted({at[1] for at in ours.keys() | theirs.keys() if ours.get(at) != theirs.get(at)})
            differences = await _differences(shadow, projection, wrong, without) if wrong else []
        return Comparison(sum(count for count, _ in ours.values()), _short(ours), differences, len(without))


async def _checksums(
    connection: "Connection", projection: str, schema: str, without: list[UUID]
) -> Checksums:
    sql = load_sql(_PACKAGE, "checksum_view")
    rows = await connection.fetch(sql, projection, schema, without, timeout=_LONG_SECONDS)
    return {(row["table_name"], row["bucket"]): (row["row_count"], row["hash"]) for row in rows}


async def _differences(
    connection: "Connection", projection: str, buckets: list[int], without: list[UUID]
) -> list[str]:
    """Lines for people. The live table may be newer than the snapshot by now."""
    rows = await connection.fetch(
        load_sql(_PACKAGE, "select_view_differences"),
        projection,
        buckets[:_BUCKETS_SHOWN_MAX],
        without,
        _ROWS_SHOWN_MAX,
        timeout=_LONG_SECONDS,
    )
    shown = [row_difference(row, row["shadow"], REBUILT) for row in rows]
    if len(shown) == _ROWS_SHOWN_MAX:
        shown.append(f"only the first {_ROWS_SHOWN_MAX} rows that differ are shown; there may be more")
    return [f"{len(buckets)} of 256 buckets differ", *shown]


def _short(checksums: Checksums) -> str:
    """One short checksum of all buckets."""
    return hashlib.sha256(repr(sorted(checksums.items())).encode()).hexdigest()[:32]
