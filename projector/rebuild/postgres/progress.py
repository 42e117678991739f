"""Exports how far rebuilds are: a rebuild is a process of its own that lives too short to be scraped."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from projector.rebuild.ports import SWITCHED
from shared.ops.measuring import Measurement, unknown
from shared.ops.metrics.rebuilds import (
    REBUILD_CHANGED_SECONDS,
    REBUILD_EVENTS,
    REBUILD_POSITION,
    REBUILD_RUNNING,
    REBUILD_TARGET_POSITION,
)
from shared.postgres.sql import load_sql

if TYPE_CHECKING:
    import asyncpg

_PROGRESS_SQL = load_sql("projector.rebuild.postgres", "select_rebuild_progress")
_GAUGES = (
    REBUILD_RUNNING, REBUILD_TARGET_POSITION, REBUILD_POSITION, REBUILD_EVENTS, REBUILD_CHANGED_SECONDS,
)  # fmt: skip
_SECONDS = 5.0
_SECONDS_MAX = 5.0


def rebuild_measurement(pool: "asyncpg.Pool[asyncpg.Record]", projections: Sequence[str]) -> Measurement:
    """Of these projections; without a rebuild all gauges are 0."""

    async def take() -> None:
        rows = await pool.fetch(_PROGRESS_SQL, SWITCHED)
        running = {name: (1, *progress) for name, *progress in rows}
        for name in projections:
            for gauge, value in zip(_GAUGES, running.get(name, (0, 0, 0, 0, 0)), strict=True):
                gauge.labels(name).set(value)

    def forget() -> None:
        unknown(gauge.labels(name) for gauge in _GAUGES for name in projections)

    return Measurement("rebuilds", take, _SECONDS, _SECONDS_MAX, forget)
