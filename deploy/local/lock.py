"""Allows one `make up` per directory. The kernel frees the lock when a supervisor is killed."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.errors import AlreadyRunning


@contextmanager
def directory_lock(folder: Path) -> Iterator[bool]:
    """Hold `folder/up.lock`, or raise AlreadyRunning. Yields True if the last holder was killed."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(f"already running (pid {_pid_in(folder)}); `make down` stops it") from error
        was_abrupt = _pid_in(folder) is not None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            yield was_abrupt
        finally:
            lock.truncate(0)


def running_pid(folder: Path) -> int | None:
    """The process id of the supervisor that holds the lock, or None."""
    try:
        with (folder / "up.lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return _pid_in(folder)
    return None


def _pid_in(folder: Path) -> int | None:
    try:
        text = (folder / "up.lock").read_text()
    except FileNotFoundError:
        return None
    return int(text) if text.isdecimal() else None
