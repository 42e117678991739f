"""One process of a rebuild's first pass: takes slices until none is left, folds each, and loads it in bulk.

Processes, because folding is work of Python and threads would wait for each other. A worker has one slice
in memory at a time, and reads the next stretch of the log while it folds the present one.
"""

import asyncio
import gc
import multiprocessing
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from multiprocessing.queues import Queue
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import uvloop

from projector.errors import CannotGoOn
from projector.rebuild.bulk_fold import BulkFold, LogRow
from projector.rebuild.postgres.live_lag import LiveLag
from projector.rebuild.postgres.log_scan import PostgresLogScan, stretches
from projector.rebuild.rebuilding import Rebuilding, Target
from projector.stores import open_stores
from shared.ops.process_names import PROJECTOR_REBUILD
from shared.ops.version import service_version
from shared.telemetry import conventions as c
from shared.telemetry.process import traced_process
from shared.telemetry.spans import SpanKind
from shared.telemetry.trace_context import TraceContext
from shared.telemetry.tracing import trace

if TYPE_CHECKING:
    from projector.settings import ProjectorSettings

_CONNECTIONS_MAX = 3
# How many events are folded before the event loop runs, which reads the next stretch.
_EVENTS_PER_TURN = 1_000


class Slices(NamedTuple):
    """The task of a worker: the projection, the number of slices, the last position, the limit of lag.

    `place`: that of the rebuild in its trace.
    """

    projection: Rebuilding
    owner_id: UUID
    slices: int
    target: int
    live_lag_events_max: int
    place: TraceContext | None = None


class Report(NamedTuple):
    """A report of a worker: so many more events are folded; or why it ended."""

    events: int = 0
    error: str | None = None
    has_ended: bool = False


def work(settings: "ProjectorSettings", slices: Slices, todo: "Queue[int]", reports: "Queue[Report]") -> None:
    """The process's main function. It ends when it takes a negative number; else the parent ends it."""
    gc.disable()  # folding makes no reference cycles, and the search for them costs a tenth of the time
    try:
        # Here, because spans are sent by a thread, which a fork leaves behind.
        with traced_process(PROJECTOR_REBUILD, service_version()):
            uvloop.run(_work(settings, slices, todo, reports))
    except Exception as error:
        reports.put(Report(error=f"{type(error).__name__}: {error}"))
    reports.put(Report(has_ended=True))


async def _work(
    settings: "ProjectorSettings", slices: Slices, todo: "Queue[int]", reports: "Queue[Report]"
) -> None:
    async with AsyncExitStack() as stack:
        stores = await open_stores(settings, _CONNECTIONS_MAX, stack)
        log = PostgresLogScan(stores.log_pool)
        target = slices.projection.target(stores, slices.owner_id)
        lag = LiveLag(stores.read_model, slices.projection.name, slices.live_lag_events_max)
        while (which := todo.get()) >= 0:
            _end_with_parent()
            # The rebuild is always recorded, whatever the sampler says about its workers.
            with trace(c.LOAD_SLICE, SpanKind.INTERNAL, slices.place, {c.SLICE: which}, is_sampled=True):
                await _one_slice(log, target, slices, which, lag, reports)


async def _one_slice(
    log: PostgresLogScan,
    target: Target[Any],
    slices: Slices,
    which: int,
    lag: LiveLag,
    reports: "Queue[Report]",
) -> None:
    bulk: BulkFold[Any] = BulkFold(target.fold)
    events = 0
    async for rows in _ahead(log, slices, which):
        _end_with_parent()
        await lag.make_room()
        for start in range(0, len(rows), _EVENTS_PER_TURN):
            bulk.feed(rows[start : start + _EVENTS_PER_TURN])
            await asyncio.sleep(0)
        reports.put(Report(events=len(rows)))
        events += len(rows)
    _end_with_parent()
    await target.shadow.load(which, events, bulk.changes(), bulk.failures)


def _end_with_parent() -> None:
    """A parent that was killed cannot end its workers, and a resumed rebuild must not meet them."""
    parent = multiprocessing.parent_process()
    if parent is None or not parent.is_alive():
        raise CannotGoOn("the process of this rebuild has ended: this worker ends, too")


async def _ahead(log: PostgresLogScan, slices: Slices, which: int) -> AsyncIterator[Sequence[LogRow]]:
    """The rows of each stretch; the next stretch is read meanwhile."""
    reading: asyncio.Task[Sequence[LogRow]] | None = None
    for after, upto in stretches(0, slices.target):
        upcoming = asyncio.create_task(log.slice_rows(after, upto, slices.slices, which))
        if reading is not None:
            yield await reading
        reading = upcoming
    if reading is not None:
        yield await reading
