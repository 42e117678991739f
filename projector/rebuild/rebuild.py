"""Rebuilds one view beside the live one: first pass in bulk, catch-up, comparison, switch; or rollback.

Each phase is stored, so after any interruption - Ctrl-C, a crash, an outage - the rebuild can be resumed.
The live view does not change before the switch, and the previous one stays until `finish`.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from projector.errors import CannotGoOn
from projector.rebuild.catch_up import CatchUp, LogReader
from projector.rebuild.ports import CATCHING_UP, COMPARED, LOADING, SWITCHED, Comparison, Record
from projector.rebuild.postgres.lock import rebuild_lock
from projector.rebuild.postgres.log_scan import PostgresLogScan
from projector.rebuild.postgres.record import RebuildRecords
from projector.rebuild.rebuilding import Rebuilding
from projector.rebuild.worker import Slices
from projector.rebuild.workers import load_in_processes
from projector.stores import Stores
from shared.ops.version import service_revision, service_version
from shared.telemetry import conventions as c
from shared.telemetry.spans import present_span
from shared.telemetry.tracing import span


class Wanted(NamedTuple):
    """The options of a rebuild. `live_lag_events_max`: above it the rebuild waits."""

    workers: int
    products_in_memory_max: int
    accepts_differences: bool
    compares: bool
    switches: bool
    live_lag_events_max: int
    live_wait_seconds_max: float


class Differs(CannotGoOn):
    """The shadow differs from the live view; it stays until it is accepted or dropped."""

    def __init__(self, comparison: Comparison) -> None:
        super().__init__("the rebuilt view differs from the live one")
        self.comparison = comparison


class OfAnotherRelease(CannotGoOn):
    """Another release began it, or it was begun with another log: only `cancel` helps."""


class Reporter(NamedTuple):
    """Gets the progress: a phase begins; more events are done; the total of events."""

    phase: Callable[[str, str], None]
    events: Callable[[int], None]
    total: Callable[[int], None]


class Log(LogReader, Protocol):
    """The log for the rebuild itself; the first pass reads it in slices."""

    async def log_id(self) -> UUID:
        """The id of the log. Raises `Unavailable`."""

    async def refuse_removed(self, after: int, upto: int) -> None:
        """Raises `CannotGoOn` if a part of this range is archived and removed."""

    async def count_products(self, upto: int) -> int:
        """How many products there are up to a position. Raises `Unavailable`."""


LoadSlices = Callable[[Slices, list[int], int, Callable[[int], None]], Awaitable[None]]
"""The first pass: the task, the slices to load, the number of processes; the last gets counts of events."""


class Rebuild:
    """The rebuild of one projection, for the process that has its lock; `owner_id` is from the lock."""

    def __init__(
        self,
        projection: Rebuilding,
        stores: Stores,
        reporter: Reporter,
        owner_id: UUID,
        *,
        log: Log,
        load_slices: LoadSlices,
    ) -> None:
        self._projection = projection
        self._name = projection.name
        self._stores = stores
        self._report = reporter
        self._owner_id = owner_id
        self._parts = projection.target(stores, owner_id)
        self._log = log
        self._load_slices = load_slices

    async def start(self, wanted: Wanted) -> Comparison | None:
        """From the beginning; an unfinished rebuild must be resumed or cancelled first."""
        record = await self._parts.records.read()
        if record is not None and record.phase != SWITCHED:
            phase = "compared" if record.phase == COMPARED else record.phase
            raise CannotGoOn(f"a rebuild of {self._name} is unfinished ({phase}): resume or cancel it")
        target = await self._log.newest_position()
        await self._log.refuse_removed(0, target)
        products = await self._log.count_products(target)
        slices = max(wanted.workers, -(-products // wanted.products_in_memory_max))
        await self._parts.shadow.drop_previous()
        await self._parts.shadow.make()
        await self._parts.records.start(
            await self._log.log_id(), target, slices, _made_by(), await self._parts.next_generation()
        )
        return await self.resume(wanted)

    async def resume(self, wanted: Wanted) -> Comparison | None:
        """From the stored progress on. Raises `Differs`, `CannotGoOn`, `Unavailable`."""
        record = await self._unfinished()
        if record.phase == LOADING:
            with span(c.LOAD_SLICES):
                await self._load(record, wanted)
            self._report.phase("indexing", "")
            with span(c.INDEX):
                await self._parts.shadow.finish_loading()
            await self._parts.records.move_to(CATCHING_UP)
        record = await self._unfinished()
        catch_up = await self._catch_up(record)
        self._report.phase("catching up", f"from position {catch_up.reached}")
        with span(c.CATCH_UP):
            await catch_up.apply(await catch_up.newest())
        comparison = None
        if record.phase != COMPARED and wanted.compares:
            with span(c.COMPARE, refusals=Differs):
                comparison = await self._compare(catch_up, wanted)
        if wanted.switches:
            self._report.phase("switching", "")
            with span(c.SWITCH):
                await self._parts.shadow.switch(catch_up)
        return comparison

    async def start_or_resume(self, wanted: Wanted) -> Comparison | None:
        """An unfinished rebuild goes on."""
        record = await self._parts.records.read()
        is_unfinished = record is not None and record.phase != SWITCHED
        return await (self.resume(wanted) if is_unfinished else self.start(wanted))

    async def cancel(self) -> None:
        """Drop the shadow, of any code version and any log; the live view does not change."""
        record = await self._parts.records.read()
        if record is None or record.phase == SWITCHED:
            raise CannotGoOn(f"no rebuild of {self._name} is under way")
        await self._parts.shadow.drop()
        await self._parts.records.forget()

    async def switch_back(self) -> None:
        """Make the previous view the live one again. Raises `CannotGoOn`."""
        record = await self._parts.records.read()
        if record is None or record.phase != SWITCHED:
            raise CannotGoOn(f"{self._name} was not switched: there is nothing to roll back to")
        await self._parts.shadow.switch_back(await self._catch_up(record))
        await self._parts.shadow.drop()
        await self._parts.records.forget()

    async def finish(self) -> None:
        """Drop the previous view: after this there is no rollback."""
        record = await self._parts.records.read()
        if record is None or record.phase != SWITCHED:
            raise CannotGoOn(f"{self._name} was not switched: there is nothing to finish")
        await self._parts.shadow.drop_previous()
        await self._parts.records.forget()

    async def _unfinished(self) -> Record:
        record = await self._parts.records.read()
        if record is None or record.phase == SWITCHED:
            raise CannotGoOn(f"no rebuild of {self._name} is under way")
        if record.made_by != _made_by():
            raise OfAnotherRelease(
                f"version {record.made_by} began this rebuild, this is {_made_by()}: cancel it"
            )
        if record.log_id != await self._log.log_id():
            raise OfAnotherRelease("the rebuild was started with another log: cancel it")
        return record

    async def _catch_up(self, record: Record) -> CatchUp[Any]:
        failed = set(await self._parts.records.failures())
        return CatchUp(self._log, self._parts.fold, self._parts.shadow, record.position, failed)

    async def _compare(self, catch_up: CatchUp[Any], wanted: Wanted) -> Comparison:
        self._report.phase("comparing", "waiting for the live view to catch up")
        await self._projection.wait_until_live_has(
            catch_up.reached, self._stores, wanted.live_wait_seconds_max
        )
        self._report.phase("comparing", "shadow and live view")
        comparison = await self._parts.shadow.compare(catch_up)
        if comparison.differences and not wanted.accepts_differences:
            raise Differs(comparison)
        outcome = "differences accepted" if comparison.differences else "equal"
        await self._parts.records.move_to(
            COMPARED, proof=f"{outcome}: {comparison.rows} rows, {comparison.checksum}"
        )
        return comparison

    async def _load(self, record: Record, wanted: Wanted) -> None:
        left = [which for which in range(record.slices) if which not in record.slices_done]
        self._report.phase("loading", f"{len(left)} of {record.slices} slices, {wanted.workers} processes")
        self._report.total(record.target_position * len(left) // record.slices)
        slices = Slices(
            self._projection,
            self._owner_id,
            record.slices,
            record.target_position,
            wanted.live_lag_events_max,
            present_span().context,
        )
        count = min(wanted.workers, max(1, len(left)))
        await self._load_slices(slices, left, count, self._report.events)


def rebuild_of(projection: Rebuilding, stores: Stores, reporter: Reporter, owner_id: UUID) -> Rebuild:
    """A rebuild from the log in PostgreSQL, with processes for its first pass."""
    return Rebuild(
        projection, stores, reporter, owner_id,
        log=PostgresLogScan(stores.log_pool),
        load_slices=partial(load_in_processes, stores.settings),
    )  # fmt: skip


def lock_of(projection: Rebuilding, stores: Stores) -> AbstractAsyncContextManager[UUID]:
    """The lock that a change of the rebuild needs; gives the id of its owner. Raises `RebuildIsLocked`."""
    settings = stores.settings
    return rebuild_lock(
        settings.read_model_dsn, projection.name, connect_timeout_seconds=settings.connect_timeout_seconds
    )


async def record_of(projection: Rebuilding, stores: Stores) -> Record | None:
    """How far its rebuild is; needs no lock."""
    return await RebuildRecords(stores.read_model, projection.name).read()


def _made_by() -> str:
    return f"{service_version()} {service_revision()}"
