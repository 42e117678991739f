"""How far the database's clock is from ours: events have its time, and lags compare it with ours."""

import time
from typing import TYPE_CHECKING

from shared.ops.measuring import Measurement, unknown
from shared.ops.metrics.process import CLOCK_SKEW_SECONDS
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg

_CLOCK_SQL = load_sql("shared.postgres", "select_clock")
_SECONDS = 15.0
_SECONDS_MAX = 5.0


def clock_measurement(database: str, pool: "asyncpg.Pool[asyncpg.Record]") -> Measurement:
    """`database` is its name for people."""

    skew = CLOCK_SKEW_SECONDS.labels(database)

    async def take() -> None:
        skew.set(await clock_skew(pool))

    return Measurement(f"clock of {database}", take, _SECONDS, _SECONDS_MAX, lambda: unknown([skew]))


async def clock_skew(pool: "asyncpg.Pool[asyncpg.Record]") -> float:
    """Seconds by which the database is ahead, as NTP computes it: the answer was made half-way between
    question and arrival. So the error is at most half of the way there and back.
    """
    async with pool.acquire() as connection:  # connecting is no part of the way
        asked = time.time()
        told = float(await connection.fetchval(_CLOCK_SQL))
        return told - (asked + time.time()) / 2
