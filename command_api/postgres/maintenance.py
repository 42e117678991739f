"""Periodic maintenance of the log: partitions are created ahead of need, expired answers are deleted.

Every process of the command API does this: the SQL functions serialise themselves, so many processes do no
harm, and appends do not depend on a single process.
"""

import asyncio

import asyncpg

from shared.ops.concurrency.waits import every
from shared.ops.logs import get_logger
from shared.ops.metrics.log_partitions import PARTITIONS_AHEAD
from shared.postgres.errors import is_transient
from shared.postgres.sql import load_sql

_log = get_logger(__name__)
_ENSURE_SQL = load_sql("command_api.postgres", "ensure_partitions")
_COUNT_SQL = load_sql("command_api.postgres", "count_partitions_ahead")
_PURGE_SQL = load_sql("command_api.postgres", "purge_idempotency_keys")


async def ensure_partitions(pool: "asyncpg.Pool[asyncpg.Record]") -> int:
    """Make the missing partitions; returns the number of empty ones ahead, and sets the metric."""
    await pool.fetchval(_ENSURE_SQL)
    ahead = int(await pool.fetchval(_COUNT_SQL))
    PARTITIONS_AHEAD.set(ahead)
    return ahead


class Maintenance:
    """Runs every `interval_seconds`, the first time at once."""

    def __init__(
        self, pool: "asyncpg.Pool[asyncpg.Record]", interval_seconds: float, expired_keys_per_turn_max: int
    ) -> None:
        self._pool = pool
        self._interval_seconds = interval_seconds
        self._expired_keys_per_turn_max = expired_keys_per_turn_max

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`. After an unreachable store it waits for the next turn; a bug is logged in every
        turn.
        """
        await every(self._interval_seconds, stop, self._safe_turn)

    async def _safe_turn(self) -> None:
        try:
            await self.turn()
        except Exception as error:
            write = _log.warning if is_transient(error) else _log.error
            write("maintenance turn failed", error=repr(error))

    async def turn(self) -> None:
        """Make partitions, purge expired keys, measure. Raises asyncpg's errors."""
        await ensure_partitions(self._pool)
        purged = await self._pool.fetchval(_PURGE_SQL, self._expired_keys_per_turn_max)
        if purged:
            _log.info("expired idempotency keys purged", rows=purged)
