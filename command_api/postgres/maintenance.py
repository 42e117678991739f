"""Periodic maintenance of the log: partitions are made ahead of need, expired answers are deleted.

Every command API and every relay makes partitions: the SQL function serialises itself, so many processes do
no harm, and appends do not depend on a single process. Counting is apart from making, so that the gauges fall
also while no partition can be made.
"""

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from shared.ops.logs import get_logger
from shared.ops.measuring import Measurement, unknown
from shared.ops.metrics.log_partitions import PARTITIONS_AHEAD, POSITIONS_LEFT
from shared.ops.upkeep import Upkeep
from shared.postgres.errors import is_unavailable
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

_ROOM_SECONDS = 15.0
_ROOM_SECONDS_MAX = 5.0
_log = get_logger(__name__)
_ENSURE_SQL = load_sql("command_api.postgres", "ensure_partitions")
_ROOM_SQL = load_sql("command_api.postgres", "log_room")
_PURGE_SQL = load_sql("command_api.postgres", "purge_idempotency_keys")


class NoEmptyPartition(Exception):
    """Writes end with 503 when the last partition is full."""


class PartitionsNotMade(Exception):
    """The log has room yet."""


class _Room(NamedTuple):
    partitions_ahead: int
    positions_left: int


class LogPartitions:
    """Keeps `ahead` empty partitions after the newest position, and tells how much room there is."""

    def __init__(self, pool: "Pool", ahead: int, seconds: float) -> None:
        self._pool = pool
        self._ahead = ahead
        self._seconds = seconds
        self._room: _Room | None = None
        self._failed_when_counted = False
        self.upkeep = Upkeep("log partitions", self.make, seconds, is_outage=is_unavailable)

    async def make(self) -> None:
        """Make the missing ones. Raises asyncpg's errors."""
        await self._pool.fetchval(_ENSURE_SQL, self._ahead)

    async def count(self) -> None:
        """Set the gauges. Raises asyncpg's errors."""
        room = await self._pool.fetchrow(_ROOM_SQL)
        self._room = _Room(*map(int, room or ()))
        self._failed_when_counted = self.upkeep.reason is not None
        PARTITIONS_AHEAD.set(self._room.partitions_ahead)
        POSITIONS_LEFT.set(self._room.positions_left)

    @property
    def measurement(self) -> Measurement:
        """The room of the log, every 15 s."""
        return Measurement(
            "log partitions", self.count, min(self._seconds, _ROOM_SECONDS), _ROOM_SECONDS_MAX, self._forget
        )

    async def check(self) -> None:
        """For `degraded` in /readyz. Raises `NoEmptyPartition`, or `PartitionsNotMade` while they can be
        counted and not made: an outage of the event store has a check of its own.
        """
        if self._room is not None and self._room.partitions_ahead < 1:
            raise NoEmptyPartition(
                f"no empty partition follows the newest position of the log; {self._room.positions_left} "
                "positions are left, then no command can be written: docs/runbooks/LogPartitionsRunOut.md"
            )
        if self._failed_when_counted and self.upkeep.reason is not None:
            raise PartitionsNotMade(f"partitions cannot be made: {self.upkeep.reason}")

    def _forget(self) -> None:
        self._room, self._failed_when_counted = None, False
        unknown([PARTITIONS_AHEAD, POSITIONS_LEFT])


def purge_of_keys(pool: "Pool", seconds: float, rows_max: int) -> Upkeep:
    """Deletes answers to idempotency keys that are older than 24 hours, `rows_max` in a turn."""
    return Upkeep("expired keys", partial(_purge, pool, rows_max), seconds, is_outage=is_unavailable)


async def _purge(pool: "Pool", rows_max: int) -> None:
    purged = await pool.fetchval(_PURGE_SQL, rows_max)
    if purged:
        _log.info("expired idempotency keys purged", rows=purged)
