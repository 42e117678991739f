"""A real event store as the composition root makes it, and what its tables and locks say."""

from collections.abc import Iterable
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import msgspec

from command_api.postgres.event_store import PostgresEventStore
from command_api.postgres.group_commit import GroupCommitLimits
from command_api.postgres.writer_connection import WriterConnection
from shared.contract.recorded_event import RecordedEvent
from shared.postgres.pool import create_pool
from tests.eventually import eventually
from tests.ways import DIRECT_WAY, Way

Connection = asyncpg.Connection
PATIENCE_SECONDS = 600.0


async def open_store(
    dsn: str,
    limits: GroupCommitLimits | None = None,
    recovery_seconds_max: float = 5.0,
    way: Way = DIRECT_WAY,
) -> PostgresEventStore:
    """A store as the composition root makes it; in its queue commands wait as long as a test needs. Its reads
    take the `way`, its appends never.
    """
    limits = limits or GroupCommitLimits(queue_seconds_max=PATIENCE_SECONDS)
    way.prepare(urlsplit(dsn).path.strip("/"))
    pool = await create_pool(
        way.lead(dsn),
        application_name="test read",
        size_max=2,
        statement_timeout_seconds=30,
        connect_timeout_seconds=30,
        pooler=way.pooler,
    )
    writer = WriterConnection(
        dsn, connect_timeout_seconds=30, call_timeout_seconds=30, recovery_seconds_max=recovery_seconds_max
    )
    return PostgresEventStore(pool, writer, limits=limits)


async def insert_events(owner: Connection, events: Iterable[RecordedEvent]) -> None:
    """Into the log alone, as the owner of its table: the append function has its own tests."""
    await owner.executemany(
        "INSERT INTO catalogue.events (position, product_id, stream_version, event_type, schema_version,"
        " data, metadata, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            (*msgspec.structs.astuple(one)[:6], msgspec.json.encode(one.metadata), one.recorded_at)
            for one in events
        ],
    )


async def streams_that_lie(owner: Connection) -> list[UUID]:
    """Products whose stream row says something else than their events."""
    rows = await owner.fetch(
        """
        SELECT coalesce(stream.product_id, event.product_id) AS product_id
        FROM catalogue.streams stream
        FULL JOIN (
            SELECT product_id, count(*) AS events, min(position) AS lowest, max(position) AS highest,
                   array_agg(stream_version ORDER BY position) AS versions
            FROM catalogue.events GROUP BY product_id
        ) event ON event.product_id = stream.product_id
        WHERE (stream.stream_version, stream.first_position, stream.last_position)
              IS DISTINCT FROM (event.events::int, event.lowest, event.highest)
           OR event.versions <> ARRAY(SELECT generate_series(1, event.events)::int)
        """
    )
    return [row["product_id"] for row in rows]


async def waits_for_the_append_lock(owner: Connection, waiters: int = 1) -> None:
    async def waits() -> bool:
        sql = """
            SELECT count(*) FROM pg_locks
            WHERE locktype = 'advisory' AND classid = 7281044 AND objid = 1 AND NOT granted
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """
        assert await owner.fetchval(sql) == waiters
        return True

    await eventually(waits)  # type: ignore[arg-type]
