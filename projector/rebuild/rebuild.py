"""Rebuilds one view beside the one that serves: first pass in bulk, catch up, prove, switch; or roll back.

Each phase is kept, so whatever ends it - Ctrl-C, a crash, a server that goes away - is answered by going on.
The live view is not touched before the switch, and the previous one stays until it is finished with.
"""

import asyncio
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from queue import Empty
from typing import TYPE_CHECKING, Any, NamedTuple

from projector.errors import CannotGoOn
from projector.rebuild.log_tail import LogTail
from projector.rebuild.ports import CATCHING_UP, LOADING, PROVED, SWITCHED, Proof, Record
from projector.rebuild.postgres.log_scan import PostgresLogScan
from projector.rebuild.rebuilding import Rebuilding
from projector.rebuild.worker import Slices, Told, work
from projector.stores import Stores
from shared.ops.version import service_revision, service_version

if TYPE_CHECKING:
    from projector.settings import ProjectorSettings

_LOOK_SECONDS = 0.05
_END_SECONDS_MAX = 5.0


class Wanted(NamedTuple):
    """How an operator wants the rebuild done. `live_lag_events_max`: beyond it the rebuild waits."""

    workers: int
    accepts_differences: bool
    proves: bool
    switches: bool
    live_lag_events_max: int
    live_wait_seconds_max: float


class Differs(CannotGoOn):
    """The shadow is not equal to the live view; it stays, to be looked at, accepted or dropped."""

    def __init__(self, proof: Proof) -> None:
        super().__init__("the rebuilt view differs from the live one")
        self.proof = proof


class Reporter(NamedTuple):
    """Who hears how far it is: a phase begins; so many events of so many more are done."""

    phase: Callable[[str, str], None]
    events: Callable[[int], None]
    total: Callable[[int], None]


class Rebuild:
    """Of one projection."""

    def __init__(
        self, projection: Rebuilding, stores: Stores, settings: "ProjectorSettings", reporter: Reporter
    ) -> None:
        self._projection = projection
        self._name = projection.name
        self._stores = stores
        self._settings = settings
        self._report = reporter
        self._parts = projection.target(stores)
        self._log = PostgresLogScan(stores.log_pool)

    async def start(self, wanted: Wanted) -> Proof | None:
        """From the beginning; an unfinished rebuild must be resumed or cancelled first."""
        record = await self._parts.records.read()
        if record is not None and record.phase != SWITCHED:
            raise CannotGoOn(f"a rebuild of {self._name} is unfinished ({record.phase}): resume or cancel it")
        target = await self._log.newest_position()
        products = await self._log.count_products(target)
        in_memory = self._settings.rebuild_products_in_memory_max
        slices = max(wanted.workers, -(-products // in_memory))
        await self._parts.shadow.drop_previous()
        await self._parts.shadow.make()
        await self._parts.records.start(
            await self._log.log_id(), target, slices, _made_by(), await self._parts.next_generation()
        )
        return await self.resume(wanted)

    async def resume(self, wanted: Wanted) -> Proof | None:
        """From wherever it is. Raises `Differs`, `CannotGoOn`, `Unavailable`."""
        record = await self._unfinished()
        if record.phase == LOADING:
            await self._load(record, wanted)
            self._report.phase("indexing", "")
            await self._parts.shadow.finish_loading()
            await self._parts.records.move_to(CATCHING_UP)
        record = await self._unfinished()
        tail = await self._tail(record)
        self._report.phase("catching up", f"from position {tail.reached}")
        await tail.apply(await tail.newest())
        proof = None
        if record.phase != PROVED and wanted.proves:
            proof = await self._prove(tail, wanted)
        if wanted.switches:
            self._report.phase("switching", "")
            await self._parts.shadow.switch(tail)
        return proof

    async def cancel(self) -> None:
        """Drop what was made; the live view stays as it is."""
        await self._unfinished()
        await self._parts.shadow.drop()
        await self._parts.records.forget()

    async def switch_back(self) -> None:
        """Make the view live again that the last switch replaced. Raises `CannotGoOn`."""
        record = await self._parts.records.read()
        if record is None or record.phase != SWITCHED:
            raise CannotGoOn(f"{self._name} was not switched: there is nothing to roll back to")
        await self._parts.shadow.switch_back(await self._tail(record))
        await self._parts.shadow.drop()
        await self._parts.records.forget()

    async def finish(self) -> None:
        """Drop the previous view: from now on there is no way back."""
        record = await self._parts.records.read()
        if record is None or record.phase != SWITCHED:
            raise CannotGoOn(f"{self._name} was not switched: there is nothing to finish")
        await self._parts.shadow.drop_previous()
        await self._parts.records.forget()

    async def record(self) -> Record | None:
        """How far it is."""
        return await self._parts.records.read()

    async def _unfinished(self) -> Record:
        record = await self._parts.records.read()
        if record is None or record.phase == SWITCHED:
            raise CannotGoOn(f"no rebuild of {self._name} is under way")
        if record.made_by != _made_by():
            raise CannotGoOn(f"it was begun by {record.made_by}, this is {_made_by()}: cancel it")
        if record.log_id != await self._log.log_id():
            raise CannotGoOn("it was begun with another log: cancel it")
        return record

    async def _tail(self, record: Record) -> LogTail[Any]:
        reached = max(record.target_position, record.reached_position)
        failed = set(await self._parts.records.failures())
        return LogTail(self._log, self._parts.fold, self._parts.shadow, reached, failed)

    async def _prove(self, tail: LogTail[Any], wanted: Wanted) -> Proof:
        self._report.phase("proving", "waiting for the live view to have as much")
        await self._projection.wait_until_live_has(tail.reached, self._stores, wanted.live_wait_seconds_max)
        self._report.phase("proving", "comparing")
        proof = await self._parts.shadow.prove(tail)
        if proof.differences and not wanted.accepts_differences:
            raise Differs(proof)
        outcome = "differences accepted" if proof.differences else "equal"
        await self._parts.records.move_to(PROVED, proof=f"{outcome}: {proof.rows} rows, {proof.digest}")
        return proof

    async def _load(self, record: Record, wanted: Wanted) -> None:
        left = [which for which in range(record.slices) if which not in record.slices_done]
        self._report.phase("loading", f"{len(left)} of {record.slices} slices, {wanted.workers} processes")
        self._report.total(record.target_position * len(left) // record.slices)
        slices = Slices(self._projection, record.slices, record.target_position, wanted.live_lag_events_max)
        processes = _Workers(self._settings, slices, left, min(wanted.workers, max(1, len(left))))
        try:
            await processes.run(self._report.events)
        finally:
            processes.end()


class _Workers:
    """The processes of a first pass; ended with it, however it ends."""

    def __init__(self, settings: "ProjectorSettings", slices: Slices, left: list[int], count: int) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(
            [work.__module__, type(slices.projection).__module__]
        )  # imported once, not by each worker
        # Both are kept here: a queue that the parent forgets is gone before a child has opened it.
        self._told: Queue[Told] = context.Queue()
        self._todo: Queue[int] = context.Queue()
        for which in [*left, *[-1] * count]:
            self._todo.put(which)
        self._processes: list[BaseProcess] = [
            context.Process(target=work, args=(settings, slices, self._todo, self._told), daemon=True)
            for _ in range(count)
        ]

    async def run(self, events: Callable[[int], None]) -> None:
        """Until all slices are loaded. Raises `CannotGoOn` with what a worker said, or if one was killed."""
        for process in self._processes:
            process.start()
        running = len(self._processes)
        while running:
            try:
                told = self._told.get_nowait()
            except Empty:
                self._look_for_killed()
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            if told.error is not None:
                raise CannotGoOn(told.error)
            running -= told.has_ended
            events(told.events)

    def end(self) -> None:
        """At once: what was not loaded whole is rolled back by the database."""
        for process in self._processes:
            if process.is_alive():
                process.terminate()
        for process in self._processes:
            if process.pid is not None:
                process.join(_END_SECONDS_MAX)

    def _look_for_killed(self) -> None:
        for process in self._processes:
            if process.exitcode not in (None, 0):
                raise CannotGoOn(f"a worker ended with {process.exitcode}: resume to go on")


def default_workers() -> int:
    """One a processor: folding is what takes the time."""
    return os.cpu_count() or 1


def _made_by() -> str:
    return f"{service_version()} {service_revision()}"
