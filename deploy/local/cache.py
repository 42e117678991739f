"""Keeps downloads in one folder for all checkouts, so that the broker's 45 MB are downloaded once, and fills
folders that several processes want at the same time.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_dir() -> Path:
    """`$XDG_CACHE_HOME/product-catalogue`, by default under ~/.cache; created if missing."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "product-catalogue"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Lets one process at a time fill the part `name` of the cache (test workers start at the same time)."""
    with (cache_dir() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fill_once(folder: Path, fill: Callable[[], object]) -> None:
    """Call `fill` unless an earlier call has filled this folder; one process at a time.

    Test workers start at the same time, and a program whose file is copied again while it runs crashes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "filling.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            fill()
            (folder / "complete").touch()


def sha256_of(file: Path) -> str:
    """The hex digest of a file's content."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
