"""The worker processes of a rebuild's first pass, started and awaited by their parent."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from queue import Empty
from typing import TYPE_CHECKING

from projector.errors import CannotGoOn
from projector.rebuild.worker import Report, Slices, work

if TYPE_CHECKING:
    from projector.settings import ProjectorSettings

_LOOK_SECONDS = 0.05
_END_SECONDS_MAX = 5.0
DEFAULT_WORKERS_MAX = 2
"""Each takes memory (`REBUILD_PRODUCTS_IN_MEMORY_MAX`) and up to seven connections, on a machine of any size.

Room for as many is in the manifests: deploy/kustomize/base/operator.
"""


async def load_in_processes(
    settings: "ProjectorSettings",
    slices: Slices,
    left: list[int],
    count: int,
    events: Callable[[int], None],
) -> None:
    """Load the slices `left` in `count` processes; `events` gets counts of events. Raises `CannotGoOn`."""
    processes = Workers(settings, slices, left, count)
    try:
        await processes.run(events)
    finally:
        processes.end()


class Workers:
    """The workers of one pass; they end with it."""

    def __init__(self, settings: "ProjectorSettings", slices: Slices, left: list[int], count: int) -> None:
        context = multiprocessing.get_context("forkserver")
        # Imported once, not by each worker.
        context.set_forkserver_preload([work.__module__, type(slices.projection).__module__])
        # The parent keeps both queues: one without a reference is deleted before a child has opened it.
        self._reports: Queue[Report] = context.Queue()
        self._todo: Queue[int] = context.Queue()
        for which in [*left, *[-1] * count]:
            self._todo.put(which)
        self._processes: list[BaseProcess] = [
            context.Process(target=work, args=(settings, slices, self._todo, self._reports), daemon=True)
            for _ in range(count)
        ]

    async def run(self, events: Callable[[int], None]) -> None:
        """Until all slices are loaded. Raises `CannotGoOn` with a worker's error, or if one was killed."""
        with _without_ctrl_c():
            for process in self._processes:
                process.start()
        running = len(self._processes)
        while running:
            try:
                report = self._reports.get_nowait()
            except Empty:
                self._look_for_killed()
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            if report.error is not None:
                raise CannotGoOn(report.error)
            running -= report.has_ended
            events(report.events)

    def end(self) -> None:
        """Ends them at once: the database rolls back slices that are not complete."""
        for process in self._processes:
            if process.is_alive():
                process.terminate()
        for process in self._processes:
            if process.pid is not None:
                process.join(_END_SECONDS_MAX)

    def _look_for_killed(self) -> None:
        for process in self._processes:
            if process.exitcode not in (None, 0):
                raise CannotGoOn(f"a worker ended with exit code {process.exitcode}: continue with --resume")


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """What is started in this block never sees Ctrl-C: a terminal sends it to all, and the parent decides.

    The fork server would pass its handler on, but it has none while it imports the modules that we want.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def default_workers() -> int:
    """One for each processor that this process may use, because folding takes the most time; at most two."""
    return min(DEFAULT_WORKERS_MAX, _processors())


def _processors() -> int:
    """Those of a container, where it is bound to some; of the machine, on systems that cannot tell."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
