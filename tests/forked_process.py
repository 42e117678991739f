"""Processes that tests kill and stop, forked from one that has imported already: a start is no import.

The forking process ends with the test run, and every process that it forked ends with it.
"""

import asyncio
import ctypes
import multiprocessing
import os
import signal
from collections.abc import Callable
from functools import cache
from typing import Any

import psutil

from tests.eventually import eventually

_PRELOADED = [
    "projector.rebuild.worker",
    "tests.integration.projector_process",
    "tests.integration.relay_process",
]
_PR_SET_PDEATHSIG = 1
_ENDS_SECONDS_MAX = 60
_context = multiprocessing.get_context("forkserver")


@cache
def be_ready_to_fork() -> None:
    """Wait until all is imported: the first start would hold up the event loop for so long."""
    _context.set_forkserver_preload(_PRELOADED)
    process = _context.Process(target=_nothing)
    process.start()
    process.join()


def _nothing() -> None:
    pass


class ForkedProcess:
    """`main(*arguments)` in a process of its own; both are pickled."""

    def __init__(self, main: Callable[..., None], *arguments: Any) -> None:
        be_ready_to_fork()
        self._process = _context.Process(target=_run, args=(main, *arguments), daemon=True)
        self._process.start()

    async def is_paused(self) -> None:
        """By itself."""

        def has_stopped() -> None:
            assert self._process.pid is not None
            if self._process.exitcode is not None:
                raise RuntimeError(f"the process has ended with {self._process.exitcode}")
            assert psutil.Process(self._process.pid).status() == psutil.STATUS_STOPPED

        await eventually(has_stopped, _ENDS_SECONDS_MAX)

    async def has_ended(self) -> int:
        """Its exit code; of one that a signal has ended the negative number of the signal."""
        await asyncio.to_thread(self._process.join, _ENDS_SECONDS_MAX)
        assert self._process.exitcode is not None, "the process goes on"
        return self._process.exitcode

    def signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def end(self) -> None:
        """At once, also one that is stopped."""
        self._process.kill()
        self._process.join()


def _run(main: Callable[..., None], *arguments: Any) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    main(*arguments)
