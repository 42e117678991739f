"""Runs every long-running process: one event loop, one stop event, a bounded shutdown, a true exit code.

Kubernetes sends SIGTERM and, a grace period later, SIGKILL. A process that has not ended within its own,
shorter limit logs this and exits non-zero, before it is killed without a log line.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvloop

from shared.ops.abandoned_connections import tell_of_abandoned_connections
from shared.ops.logs import get_logger
from shared.ops.metrics.process import count_spans
from shared.ops.version import service_version
from shared.telemetry.process import traced_process

Main = Callable[[asyncio.Event], Awaitable[int | None]]

EXIT_FAILED = 1
_SAID = {signal.SIGINT: "interrupted", signal.SIGTERM: "stopped by SIGTERM"}
# How long a cancelled main may take to release its connections before the process ends anyway.
_CANCEL_SECONDS_MAX = 2.0
# How long threads may hold up the end of a process that has done everything else.
_CLOSE_SECONDS_MAX = 2.0
_log = get_logger(__name__)


def run(process: str, main: Main, *, shutdown_seconds_max: float = 20.0) -> int:
    """Run `main(stop)` on uvloop and return the exit code: main's own (None is 0), or 1 for an error or a
    slow shutdown.

    SIGTERM and SIGINT set `stop`; `main` then has `shutdown_seconds_max` to return before it is cancelled. A
    second signal ends the process at once with 128 + its number, as shells report it. After `main`, the last
    spans are sent, in at most `FLUSH_SECONDS_MAX` more; then threads have `_CLOSE_SECONDS_MAX`.
    """
    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    return _run_on(runner, process, _supervise(process, main, shutdown_seconds_max, []), has_log=True)


def run_until_done(process: str, main: Main, *, shutdown_seconds_max: float = 20.0) -> int:
    """The same for a command that has work to complete: if it is told to stop before that, and so does not
    return 0, the exit code is 128 + the signal's number.
    """
    told: list[signal.Signals] = []
    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    code = _run_on(runner, process, _supervise(process, main, shutdown_seconds_max, told), has_log=True)
    return 128 + told[0] if code and told else code


def run_command(process: str, main: Coroutine[Any, Any, int]) -> int:
    """Run a command that ends by itself, and return its exit code. SIGTERM or SIGINT cancels it: 128 + the
    signal's number, as shells report it, whatever `main` says about its end; a second signal ends it at once.
    Its threads hold up the end for `_CLOSE_SECONDS_MAX`, too.

    The kernel hides a signal without a handler from the first process of a container: the job of a node that
    is drained would be killed at the end of its grace.
    """
    return _run_on(asyncio.Runner(), process, _until_signal(main), has_log=False)


async def _until_signal(main: Coroutine[Any, Any, int]) -> int:
    task, told = asyncio.create_task(main), list[signal.Signals]()

    def stop(number: signal.Signals) -> None:
        if told:
            os._exit(128 + number)
        if task.cancel():
            told.append(number)

    for number in _SAID:
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        code = await task
    except asyncio.CancelledError:
        if not told:
            raise
        print(_SAID[told[0]], file=sys.stderr)  # noqa: T201
    return 128 + told[0] if told else code


def _run_on(runner: asyncio.Runner, process: str, main: Coroutine[Any, Any, int], *, has_log: bool) -> int:
    code = EXIT_FAILED
    try:
        with traced_process(process, service_version(), count_spans):
            code = runner.run(main)
    finally:
        with _exit_after(_CLOSE_SECONDS_MAX, code, has_log=has_log):
            runner.close()
    return code


@contextmanager
def _exit_after(seconds_max: float, code: int, *, has_log: bool) -> Iterator[None]:
    """End the process if the block takes longer. Nobody can cancel a thread that looks up a name
    (getaddrinfo): while DNS is away it takes half a minute or more, and the event loop's close waits for it.
    """

    def exit_now() -> None:
        if has_log:
            _log.warning("threads do not end, exiting without them", close_seconds_max=seconds_max)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)

    timer = threading.Timer(seconds_max, exit_now)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


async def _supervise(
    process: str, main: Main, shutdown_seconds_max: float, told: list[signal.Signals]
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    tell_of_abandoned_connections(loop)
    for number in _SAID:
        loop.add_signal_handler(number, _on_signal, number, stop, told)
    work = asyncio.ensure_future(_call(main, stop))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait((work, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not work.done():
        await asyncio.wait((work,), timeout=shutdown_seconds_max)
    if not work.done():
        return await _give_up(process, work, shutdown_seconds_max)
    return _exit_code(process, work)


async def _call(main: Main, stop: asyncio.Event) -> int | None:
    return await main(stop)


def _on_signal(number: signal.Signals, stop: asyncio.Event, told: list[signal.Signals]) -> None:
    if stop.is_set():
        _log.critical("second signal, exiting at once", signal=number.name)
        os._exit(128 + number)
    _log.info("stopping", signal=number.name)
    told.append(number)
    stop.set()


def _exit_code(process: str, work: "asyncio.Future[int | None]") -> int:
    if work.cancelled():
        _log.critical("main was cancelled from inside")
        return EXIT_FAILED
    error = work.exception()
    if error is not None:
        _log.critical("the process failed", exc_info=(type(error), error, error.__traceback__))
        return EXIT_FAILED
    return work.result() or 0


async def _give_up(process: str, work: "asyncio.Future[int | None]", seconds_max: float) -> int:
    """Cancel a main that exceeded its shutdown time; if it ignores that, end the process."""
    _log.critical("shutdown took too long, cancelling", shutdown_seconds_max=seconds_max)
    work.cancel()
    await asyncio.wait((work,), timeout=_CANCEL_SECONDS_MAX)
    if not work.done():
        _log.critical("main ignored its cancellation, exiting at once")
        os._exit(EXIT_FAILED)
    return EXIT_FAILED
