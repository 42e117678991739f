"""The parts of the past, wired: a pool and a bulkhead of their own, so nothing else waits for the log."""

from contextlib import AsyncExitStack
from typing import NamedTuple

import asyncpg

from query_api.cursors import Cursors
from query_api.errors import EventLogUnavailable
from query_api.history.history_pages import HistoryPages, VersionPosition
from query_api.history.http.routes import HistoryReads
from query_api.history.latest import LatestFromLog
from query_api.history.past_versions import PastVersions
from query_api.history.postgres.grouped_pages import GroupedStreamPages
from query_api.history.postgres.snapshots import PostgresSnapshots
from query_api.history.postgres.stream_log import PostgresStreamLog
from query_api.history.price_history import PriceHistory, PricePosition
from query_api.history.streams import Streams
from query_api.postgres.bounded_reads import BoundedReads
from query_api.settings import QuerySettings
from shared.ops.breaker import CircuitBreaker
from shared.ops.process_names import QUERY_API
from shared.postgres.pool import create_pool


class HistoryParts(NamedTuple):
    """The use cases, the pool of the event log, and the bulkhead before it."""

    reads: HistoryReads
    latest: LatestFromLog
    log: "asyncpg.Pool[asyncpg.Record]"
    log_reads: BoundedReads


class OpenedLog(NamedTuple):
    """The event log, its pool, and the bulkhead between."""

    pool: "asyncpg.Pool[asyncpg.Record]"
    log: PostgresStreamLog
    reads: BoundedReads


async def history_parts(
    settings: QuerySettings, snapshots: BoundedReads, stack: AsyncExitStack
) -> HistoryParts:
    """Connected when first used, closed with the stack. `snapshots` reads the read model."""
    pool, log, log_reads = await open_log(settings, stack)
    events_max, key = settings.history_events_max, settings.cursor_signing_key.read().encode()
    streams = Streams(log, PostgresSnapshots(snapshots), events_max=events_max)
    reads = HistoryReads(
        PastVersions(streams),
        HistoryPages(streams, Cursors(key, VersionPosition), page_bytes_max=settings.list_page_bytes_max),
        PriceHistory(streams, Cursors(key, PricePosition), events_max=events_max),
    )
    return HistoryParts(reads, _latest(settings, pool), pool, log_reads)


def _latest(settings: QuerySettings, pool: "asyncpg.Pool[asyncpg.Record]") -> LatestFromLog:
    """With a place of its own in front of the log: who asks for years of history must not delay who has just
    written.
    """
    reads = BoundedReads(
        pool,
        name="latest",
        reads_max=1,
        waiting_max=1,
        wait_seconds_max=settings.latest_seconds_max,
        server="event log",
        unavailable=EventLogUnavailable,
    )
    events_max = settings.latest_events_max
    # The event that made the held document is read, too.
    pages = GroupedStreamPages(reads, events_max=events_max + 1)
    return LatestFromLog(
        pages,
        events_max=events_max,
        seconds_max=settings.latest_seconds_max,
        breaker=CircuitBreaker(failures_max=1, open_seconds=settings.latest_rest_seconds),
    )


async def open_log(settings: QuerySettings, stack: AsyncExitStack) -> OpenedLog:
    """The adapter, behind a bulkhead."""
    pool = await _pool(settings, stack)
    reads = BoundedReads(
        pool,
        name="history",
        reads_max=settings.history_reads_max,
        waiting_max=settings.table_reads_waiting_max,
        wait_seconds_max=settings.table_wait_seconds_max,
        server="event log",
        unavailable=EventLogUnavailable,
    )
    return OpenedLog(pool, PostgresStreamLog(reads), reads)


async def _pool(settings: QuerySettings, stack: AsyncExitStack) -> "asyncpg.Pool[asyncpg.Record]":
    """One connection more than the past may take, for the newest events and for readiness. As in the
    projector, without a pooler.
    """
    pool = await create_pool(
        settings.event_store_read_dsn,
        application_name=f"{QUERY_API}-history",
        size_max=settings.history_reads_max + 1,
        statement_timeout_seconds=settings.table_seconds_max,
        connect_timeout_seconds=settings.table_connect_seconds_max,
    )
    stack.push_async_callback(pool.close)
    return pool
