"""`make up`: start everything in order, keep it running, stop everything in reverse order.

A process that ends by itself is started again: soon at first, later after longer and longer waits.
"""

import signal
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import FrameType

from deploy.local.display import Display
from deploy.local.errors import LocalStackError, PortTaken
from deploy.local.lock import directory_lock
from deploy.local.ports import require_free
from deploy.local.server import Progress, Server
from deploy.local.settings import StackSettings, observed_mark, secure_mark
from deploy.local.stack import Stack, build_stack
from deploy.local.welcome import welcome

_TICK_SECONDS = 0.2
_STATUS_SECONDS = 2.0
_BACK_OFF_SECONDS_FIRST = 0.5
_BACK_OFF_SECONDS_MAX = 30.0
_STABLE_SECONDS = 30.0
_ABRUPT_END_SECONDS_MAX = 15.0
_PROCESS_STOP_SECONDS_MAX = 20.0


class Interrupted(LocalStackError):
    """The user stopped the start."""


@dataclass
class _Watch:
    """How often one child has ended lately, and when it may be started again."""

    started_at: float
    back_off_seconds: float = _BACK_OFF_SECONDS_FIRST
    start_at: float | None = None


class Supervisor:
    """Runs the stack of one directory until a signal."""

    def __init__(self, settings: StackSettings) -> None:
        self._settings = settings
        self._display = Display()
        self._stop_signals = 0
        self._start_failed = False
        self._stack = build_stack(settings, self._progress_of)

    def run(self) -> None:
        """Blocks until SIGINT, SIGTERM or SIGHUP. Raises LocalStackError if the start fails."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        with directory_lock(self._settings.folder) as was_abrupt:
            self._require_free_ports(_ABRUPT_END_SECONDS_MAX if was_abrupt else 0)
            self._mark()
            try:
                self._start()
                self._watch()
            except Interrupted:
                self._display.say("Interrupted.")
            finally:
                self._stop()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_signals += 1

    def _progress_of(self, name: str) -> Progress:
        report = self._display.progress_of(name)

        def report_unless_interrupted(state: str) -> None:
            if self._stop_signals or self._start_failed:
                raise Interrupted
            report(state)

        return report_unless_interrupted

    def _require_free_ports(self, seconds_max: float) -> None:
        """The servers of a killed run get a signal from the kernel; this waits until they have ended."""
        deadline = time.monotonic() + seconds_max
        while True:
            try:
                return require_free(self._settings.ports_to_bind())
            except PortTaken:
                if time.monotonic() > deadline or self._stop_signals:
                    raise
                self._display.status("The last run was killed: waiting until its servers have stopped")
                time.sleep(_TICK_SECONDS)

    def _mark(self) -> None:
        """Commands in other terminals see how this stack was started."""
        for mark, is_set in (
            (secure_mark(self._settings.folder), self._settings.is_secure),
            (observed_mark(self._settings.folder), self._settings.is_observed),
        ):
            if is_set:
                mark.touch()
            else:
                mark.unlink(missing_ok=True)

    def _start(self) -> None:
        started = time.monotonic()
        for group in (self._stack.servers, self._stack.migrations, self._stack.processes):
            self._display.begin()
            _in_parallel(group, self._start_one)
        self._display.say(welcome(self._settings, time.monotonic() - started))

    def _start_one(self, child: Server) -> None:
        try:
            child.start()
        except BaseException:
            self._start_failed = True  # the others stop waiting
            raise

    def _watch(self) -> None:
        children = [*self._stack.servers, *self._stack.processes]
        watches = {child.name: _Watch(time.monotonic()) for child in children}
        next_status = 0.0
        while not self._stop_signals:
            for child in children:
                self._revive(child, watches[child.name])
            if time.monotonic() >= next_status:
                self._display.status(status_line(self._stack))
                next_status = time.monotonic() + _STATUS_SECONDS
            time.sleep(_TICK_SECONDS)

    def _revive(self, child: Server, watch: _Watch) -> None:
        now = time.monotonic()
        if child.pid is not None:
            if now - watch.started_at > _STABLE_SECONDS:
                watch.back_off_seconds = _BACK_OFF_SECONDS_FIRST
            return
        if watch.start_at is None:
            watch.start_at = now + watch.back_off_seconds
            pause = f"{watch.back_off_seconds:.1f} s"
            self._display.say(
                f"{child.name} ended with exit code {child.exit_code};"
                f" starting it again in {pause}.{child.log_tail()}"
            )
            watch.back_off_seconds = min(watch.back_off_seconds * 2, _BACK_OFF_SECONDS_MAX)
        if now >= watch.start_at:
            watch.start_at, watch.started_at = None, now
            child.spawn()

    def _stop(self) -> None:
        """Stops processes before servers, so that their work is written. A second signal ends the wait."""
        self._stop_signals_seen = self._stop_signals
        self._display.begin()
        for group in (self._stack.migrations, self._stack.processes, self._stack.servers):
            _in_parallel([child for child in group if child.pid is not None], self._stop_one)
        self._display.say("Stopped. The data is kept in .local/ (`make clean` removes it).")

    def _stop_one(self, child: Server) -> None:
        report = self._display.progress_of(child.name)
        child.progress = report
        report("stopping")
        child.stop(_PROCESS_STOP_SECONDS_MAX, give_up=lambda: self._stop_signals > self._stop_signals_seen)
        report("stopped")


def _in_parallel(children: Sequence[Server], act: Callable[[Server], None]) -> None:
    """Run `act` for all and wait; then raise an error that is a cause, not one that follows from it."""
    if not children:
        return
    with ThreadPoolExecutor(max_workers=len(children)) as pool:
        outcomes = [pool.submit(act, child) for child in children]
    errors = [error for outcome in outcomes if (error := outcome.exception()) is not None]
    for error in sorted(errors, key=lambda error: isinstance(error, Interrupted)):
        raise error


def status_line(stack: Stack) -> str:
    """The state of every part."""
    parts: Iterable[Server] = [*stack.servers, *stack.processes]
    return " | ".join(f"{part.name}: {_state(part)}" for part in parts)


def _state(part: Server) -> str:
    if part.pid is None:
        return "ENDED"
    if not part.is_ready():
        return "NOT READY"
    missed = ", ".join(part.degraded())
    return f"DEGRADED ({missed})" if missed else "ok"
