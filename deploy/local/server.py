"""A child process with a life cycle: started, stopped gracefully, and broken on purpose by fault tests.

Every server and every process of the stack is a `Server`. A subclass prepares the data, names the command,
and defines "ready". Ports and data stay the same over stop, kill and start.
"""

import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.local.errors import StartFailed
from deploy.local.log_tail import log_tail
from deploy.local.unprivileged import Identity

Progress = Callable[[str], None]

# PR_SET_PDEATHSIG fires when the *thread* that forked ends, not the process. Servers are started from
# short-lived threads in parallel, so one thread that lives as long as the process does all the forking.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")
_CHILD = str(Path(__file__).with_name("child.py"))
_POLL_SECONDS = 0.05
_STOPPED_SECONDS_MAX = 10.0
_AT_REST = (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)


def silent(_message: str) -> None:
    """A progress callback that shows nothing."""


@dataclass(frozen=True)
class Command:
    """A program to run. `identity` is the user that runs it; None: the present user."""

    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    identity: Identity | None = None

    def guarded_argv(self, orphan_signal: signal.Signals) -> list[str]:
        """The command, started through child.py, so that it ends with this process."""
        uid, gid = (self.identity.uid, self.identity.gid) if self.identity else (-1, -1)
        guard = [sys.executable, "-I", "-S", _CHILD]
        return [*guard, *map(str, (int(orphan_signal), os.getpid(), uid, gid)), *self.argv]

    def full_environment(self) -> dict[str, str]:
        """Our environment, overridden by the command's own settings."""
        return {**os.environ, **self.environment}


class Server(ABC):
    """One child process. Not thread-safe: use it from one thread at a time."""

    stop_signal = signal.SIGTERM
    orphan_signal = signal.SIGTERM
    ready_seconds_max = 60.0
    stop_seconds_max = 20.0

    def __init__(self, name: str, log_file: Path, progress: Progress = silent) -> None:
        self.name = name
        self.log_file = log_file
        self.progress = progress
        self._process: subprocess.Popen[bytes] | None = None
        self._log_begins_at = 0

    def prepare(self) -> None:  # noqa: B027 - most processes have nothing to prepare
        """Get the program and prepare the data directory; idempotent, may take long the first time."""

    @abstractmethod
    def command(self) -> Command:
        """The command to run; called at every start."""

    @abstractmethod
    def is_ready(self) -> bool:
        """True when it serves clients; must return within a second or two."""

    def degraded(self) -> Sequence[str]:
        """What it misses, although it is ready; servers miss nothing."""
        return ()

    def after_first_ready(self) -> None:  # noqa: B027
        """Setup that needs the running server, before others use it; idempotent."""

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def _pid_file(self) -> Path:
        return self.log_file.with_suffix(".pid")

    def pid_under(self, supervisor_pid: int) -> int | None:
        """The child's process id while it runs, for a process that did not start it: `make status`.

        The file of a child that has ended stays, so its number counts only if the supervisor is its parent.
        """
        try:
            child = psutil.Process(int(self._pid_file.read_text()))
            is_child = child.ppid() == supervisor_pid and child.status() != psutil.STATUS_ZOMBIE
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None
        return child.pid if is_child else None

    @property
    def exit_code(self) -> int | None:
        """The exit code of a child that ended, negative for a signal; else None."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Prepare, spawn and wait until ready. Raises StartFailed."""
        self.prepare()
        self.spawn()
        self.wait_until_ready()
        self.after_first_ready()

    def spawn(self) -> None:
        """Start the child without waiting for it."""
        if self.pid is not None:
            return
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self._process = _spawner.submit(self._spawn).result()
        self._pid_file.write_text(str(self._process.pid))

    def _spawn(self) -> "subprocess.Popen[bytes]":
        command = self.command()
        with self.log_file.open("ab") as log:
            self._log_begins_at = log.tell()
            return subprocess.Popen(
                command.guarded_argv(self.orphan_signal),
                env=command.full_environment(),
                cwd=command.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that Ctrl-C reaches only us, and not all children at once
            )

    def wait_until_ready(self) -> None:
        """Poll `is_ready`; raises StartFailed if the child ends or takes longer than `ready_seconds_max`."""
        started = time.monotonic()
        while not self.is_ready():
            waited_seconds = time.monotonic() - started
            if self.pid is None and not self.is_ready():  # again: a job may have succeeded since
                raise StartFailed(f"{self.name} ended with exit code {self.exit_code}.{self.log_tail()}")
            if waited_seconds > self.ready_seconds_max:
                limit = f"{self.ready_seconds_max:.0f} s"
                raise StartFailed(f"{self.name} is not ready after {limit}.{self.log_tail()}")
            self.progress(f"waiting ({waited_seconds:.0f} s)")
            time.sleep(_POLL_SECONDS)
        self.progress("ready")

    def stop(self, seconds_max: float | None = None, give_up: Callable[[], bool] = lambda: False) -> None:
        """Send the stop signal; kill what is left after the time-out, or as soon as `give_up()` is true."""
        if self._process is None:
            return
        self.resume()  # a paused process would never handle the signal
        family = self._family()
        if self._process.poll() is None:
            self._process.send_signal(self.stop_signal)
        deadline = time.monotonic() + (self.stop_seconds_max if seconds_max is None else seconds_max)
        while self._process.poll() is None and time.monotonic() < deadline and not give_up():
            time.sleep(_POLL_SECONDS)
        self._kill(family)

    def kill(self) -> None:
        """A crash: SIGKILL the child and its descendants, and wait until they have ended."""
        if self._process is not None:
            self._kill(self._family())

    def pause(self) -> None:
        """SIGSTOP: connections stay open, nothing answers. The parent first, or it could fork in between."""
        for process in self._family():
            _signal(process, signal.SIGSTOP)
            _wait_until_stopped(process)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        for process in reversed(self._family()):
            _signal(process, signal.SIGCONT)

    def restart(self) -> None:
        """Stop and start on the same port and data."""
        self.stop()
        self.start()

    def ensure_running(self) -> None:
        """Undo any fault that a test left behind; cheap if there is none, because each test calls it."""
        if self.pid is None or not self.is_ready():
            self.resume()
            self.start()

    def log_tail(self) -> str:
        """The last lines of this process, for an error message; empty if there is no log."""
        return log_tail(self.log_file, self._log_begins_at)

    def _family(self) -> list[psutil.Process]:
        """The child and its descendants. Not its process group, because PostgreSQL's backends leave it."""
        if self.pid is None:
            return []
        try:
            parent = psutil.Process(self.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _kill(self, family: list[psutil.Process]) -> None:
        for process in family:
            _signal(process, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        psutil.wait_procs(family, timeout=5)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return  # it has ended by itself meanwhile: the caller wants that, or will see it


def _wait_until_stopped(process: psutil.Process) -> None:
    """Wait until all threads are stopped: for a moment after SIGSTOP, a broker's threads serve clients."""
    deadline = time.monotonic() + _STOPPED_SECONDS_MAX
    while not _is_stopped(process):
        if time.monotonic() > deadline:
            raise TimeoutError(f"process {process.pid} is not stopped after {_STOPPED_SECONDS_MAX:.0f} s")
        time.sleep(0.001)


def _is_stopped(process: psutil.Process) -> bool:
    """The states of its threads, if the system gives them."""
    try:
        if not sys.platform.startswith("linux"):
            return process.status() in _AT_REST
        threads = Path(f"/proc/{process.pid}/task").glob("*/stat")
        return all(thread.read_text().rpartition(")")[2].split()[0] in "TtXZ" for thread in threads)
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return not process.is_running()
