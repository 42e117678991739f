"""The folder of a process's search index: one index a sub-folder, and a file that names the live one.

A rebuild fills a new sub-folder; renaming the file is the switch. What a killed process has left half built
is nobody's, and is deleted at the next start. The name of a sub-folder has the scheme of its content: after a
release that stores products in another way, the old index is not opened.
"""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO
from uuid import uuid4

_LIVE, _LOCK, _INDEX = "live", "lock", "index-"


class FolderIsInUse(Exception):
    """Another process has the folder; the text names the setting."""


class IndexFolders:
    """Call `open` first. `given` None: a temporary folder, which `close` deletes.

    `scheme` has letters, digits and `-`. The methods block for some file operations. Only one
    process at a time has a folder.
    """

    def __init__(self, given: Path | None, scheme: str) -> None:
        self._given = given
        self._prefix = f"{_INDEX}{scheme}-"
        self._folder = Path()
        self._lock: IO[str] | None = None

    def open(self) -> None:
        """Take the folder. Raises `FolderIsInUse`, or OSError if it cannot be made or written."""
        folder = Path(tempfile.mkdtemp(prefix="search-")) if self._given is None else self._given
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            text = f"SEARCH_INDEX_FOLDER: another process uses {folder}; each needs a folder of its own"
            raise FolderIsInUse(text) from error
        self._folder, self._lock = folder, lock
        self._delete_all_but(self.live())

    def live(self) -> Path | None:
        """The sub-folder of the live index; None: there is none of this scheme."""
        try:
            name = (self._folder / _LIVE).read_text().strip()
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        path = self._folder / name
        return path if name.startswith(self._prefix) and path.is_dir() else None

    def new(self) -> Path:
        """A name for another index; its folder does not exist yet."""
        return self._folder / f"{self._prefix}{uuid4().hex[:12]}"

    def switch(self, path: Path) -> None:
        """From the next start on this one is live."""
        written = self._folder / f"{_LIVE}.new"
        written.write_text(path.name)
        os.replace(written, self._folder / _LIVE)

    def delete(self, path: Path) -> None:
        """One that is not live any more."""
        shutil.rmtree(path, ignore_errors=True)

    def close(self) -> None:
        """Let another process have the folder."""
        if self._lock is not None:
            lock, self._lock = self._lock, None
            lock.close()
            if self._given is None:
                shutil.rmtree(self._folder, ignore_errors=True)

    def _delete_all_but(self, live: Path | None) -> None:
        for path in self._folder.glob(f"{_INDEX}*"):
            if path != live:
                self.delete(path)
