"""Writes what happens, with the seconds since the start, into a file and to the terminal."""

import time
from pathlib import Path


class Diary:
    """`interval_seconds`: how often the progress of the clients is written."""

    def __init__(self, file: Path, *, interval_seconds: float, is_quiet: bool) -> None:
        self.interval_seconds = interval_seconds
        self._started = time.monotonic()
        self._file = file
        self._is_quiet = is_quiet
        file.parent.mkdir(parents=True, exist_ok=True)

    def tell(self, what: str) -> None:
        line = f"{time.monotonic() - self._started:8.1f} {what}"
        with self._file.open("a") as file:
            print(line, file=file)
        if not self._is_quiet:
            print(line, flush=True)
