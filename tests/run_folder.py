"""The folder of one test run, and the end of what killed runs have left.

A run that is killed (-9) cleans nothing up, and processes that it had paused or not tied to its life go on.
So a run holds a lock on its folder, which the kernel takes back when it ends, and all its processes carry the
folder's name in their environment. The next run removes every folder without an owner, its processes first.
"""

import contextlib
import ctypes
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

_PREFIX = "product-catalogue-run-"
_MARK = "PRODUCT_CATALOGUE_TEST_RUN"  # in the environment of all that a run starts
_MEMORY = Path("/dev/shm")  # a folder of our own is made in it
_MEMORY_BYTES_MIN = 4 * 1024**3
_KILLED_SECONDS_MAX = 20
_REMOVE_SHARED_MEMORY = 0  # IPC_RMID


def memory() -> Path | None:
    """A file system in memory, where one has room.

    A database is 500 files. ext4 makes files slowly for some seconds after others were removed: tests of
    views, a database or two each, took three times as long there.
    """
    has_room = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _MEMORY_BYTES_MIN
    return _MEMORY if has_room and os.access(_MEMORY, os.W_OK) else None


class RunFolder:
    """A new folder that disappears with `close`, or at the start of the next run."""

    def __init__(self, parent: Path | None = None) -> None:
        """In `parent`, by default the temporary folder, which is on disk."""
        place = parent or Path(tempfile.gettempdir())
        with _lock(place):  # nobody sweeps between the making of a folder and its lock
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
            self._claim = os.open(self.path, os.O_RDONLY)
            fcntl.flock(self._claim, fcntl.LOCK_EX)
        self.path.chmod(0o711)  # PostgreSQL does not run as root, and must be able to reach its data
        self._mark_before = os.environ.get(_MARK)
        os.environ[_MARK] = str(self.path)

    def close(self) -> None:
        """Remove it; the servers in it have stopped."""
        if self._mark_before is None:
            os.environ.pop(_MARK, None)
        else:
            os.environ[_MARK] = self._mark_before
        try:
            shutil.rmtree(self.path)
        finally:
            os.close(self._claim)


def sweep(places: list[Path] | None = None) -> list[Path]:
    """Remove what killed runs have left, and return their folders."""
    removed: list[Path] = []
    for place in places or [Path(tempfile.gettempdir()), _MEMORY]:
        while ownerless := [folder for folder in _folders(place) if _removed(folder)]:
            if any(folder.exists() for folder in ownerless):
                break  # another user's
            removed += ownerless  # killed processes may have been owners themselves: hence the loop
    _unlock_folders_of_dead_sessions()
    return removed


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    claim = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX)
        yield
    finally:
        os.close(claim)


def _folders(place: Path) -> list[Path]:
    if not place.is_dir():
        return []
    with _lock(place):
        return [folder for folder in place.glob(f"{_PREFIX}*") if _is_ours(folder)]


def _is_ours(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.geteuid()
    except FileNotFoundError:
        return False  # another run removes it


def _removed(folder: Path) -> bool:
    """Remove the folder, with the claim of an owner: two runs that begin together do not both sweep it.

    False if it has an owner, or is gone.
    """
    try:
        claim = os.open(folder, os.O_RDONLY)
    except OSError:
        return False  # its owner removes it
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not folder.exists():
            return False
        _kill_processes_of(folder)
        _remove_shared_memory_of(folder)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(claim)


def _kill_processes_of(folder: Path) -> None:
    left = [process for process in psutil.process_iter() if _carries(process, folder)]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=_KILLED_SECONDS_MAX)


def _carries(process: psutil.Process, folder: Path) -> bool:
    """Redis and PostgreSQL write their titles over their environment; but they work in their data folder."""
    try:
        if process.pid == os.getpid() or "resource_tracker" in " ".join(process.cmdline()):
            return False  # a tracker ends by itself, when it has removed the semaphores of the dead
        if process.environ().get(_MARK) == str(folder):
            return True
        return Path(process.cwd()).is_relative_to(folder)
    except (psutil.Error, OSError):
        return False


def _remove_shared_memory_of(folder: Path) -> None:
    """A killed PostgreSQL leaves a segment of System V; the seventh line of its pid file names it."""
    if sys.platform != "linux":
        return
    for pid_file in folder.rglob("postmaster.pid"):
        lines = pid_file.read_text().splitlines()
        if len(lines) > 6:
            ctypes.CDLL(None).shmctl(int(lines[6].split()[1]), _REMOVE_SHARED_MEMORY, None)


def _unlock_folders_of_dead_sessions() -> None:
    """pytest keeps the last three folders of `tmp_path`, and one that a killed run has locked for days."""
    for lock in Path(tempfile.gettempdir()).glob("pytest-of-*/pytest-*/.lock"):
        with contextlib.suppress(OSError, ValueError):
            if not psutil.pid_exists(int(lock.read_text())):
                lock.unlink()
