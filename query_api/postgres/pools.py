"""The pools of the read model, and the bulkheads before them."""

from contextlib import AsyncExitStack

import asyncpg

from query_api.postgres.bounded_reads import BoundedReads
from query_api.postgres.custom_plans import with_custom_plans
from query_api.settings import QuerySettings
from shared.ops.process_names import QUERY_API
from shared.ops.secret import Secret
from shared.postgres.pool import create_pool


def planned_anew(settings: QuerySettings) -> Secret:
    """The address of the read model for statements that need a new plan each time. Behind a pooler the role
    has the setting for it; readiness looks.
    """
    dsn = settings.read_model_dsn
    return dsn.changed(with_custom_plans) if settings.postgres_pooler == "none" else dsn


async def read_model_pool(
    settings: QuerySettings, dsn: Secret, kind: str, stack: AsyncExitStack, *, reads_max: int | None = None
) -> "asyncpg.Pool[asyncpg.Record]":
    """A pool with one connection more than the bulkhead allows, for the checkpoints."""
    pool = await create_pool(
        dsn,
        application_name=f"{QUERY_API}-{kind}",
        size_max=(reads_max or settings.table_reads_max) + 1,
        statement_timeout_seconds=settings.table_seconds_max,
        connect_timeout_seconds=settings.table_connect_seconds_max,
        pooler=settings.postgres_pooler,
    )
    stack.push_async_callback(pool.close)
    return pool


def bounded(
    name: str,
    pool: "asyncpg.Pool[asyncpg.Record]",
    settings: QuerySettings,
    *,
    reads_max: int | None = None,
) -> BoundedReads:
    """The bulkhead `name` before a pool."""
    return BoundedReads(
        pool,
        name=name,
        reads_max=reads_max or settings.table_reads_max,
        waiting_max=settings.table_reads_waiting_max,
        wait_seconds_max=settings.table_wait_seconds_max,
        pooler=settings.postgres_pooler,
    )
