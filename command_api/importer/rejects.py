"""The file of what was not loaded, in the format of what was read, so that it can be mended and loaded.

An earlier run's file is removed at the start: a file that exists speaks of the last run.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from command_api.importer.errors import ImportFailed
from command_api.importer.shopify_columns import Row
from command_api.importer.source import Rejection

REASON_COLUMN = "reason"


class RejectFile:
    """Opened by the first rejection. `header` makes it a CSV, None makes it NDJSON."""

    def __init__(self, imported: Path, header: Sequence[str] | None) -> None:
        self._header = header
        suffix = ".rejected.ndjson" if header is None else ".rejected.csv"
        self.path = imported.with_name(imported.name + suffix)
        self._file: TextIO | None = None
        self.clear()

    def clear(self) -> None:
        """Raises `ImportFailed` where the old file cannot be removed."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise ImportFailed(f"cannot remove {self.path}: {error.strerror}") from error

    def add(self, rejection: Rejection) -> None:
        """Raises `ImportFailed` where the file cannot be written: a rejection must not get lost."""
        try:
            if self._file is None:
                self._file = self._open()
            if self._header is None:
                line = {"line": rejection.line, "reason": rejection.reason, "product": rejection.original}
                self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            else:
                self._write_rows(self._file, rejection.original, rejection.reason)
        except OSError as error:
            raise ImportFailed(f"cannot write {self.path}: {error.strerror}") from error

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _open(self) -> TextIO:
        errors = "backslashreplace" if self._header is None else "surrogateescape"
        file = self.path.open("w", encoding="utf-8", errors=errors, newline="")
        if self._header is not None:
            csv.writer(file).writerow([*self._names(), REASON_COLUMN])
        return file

    def _names(self) -> list[str]:
        # The reasons of an earlier run, where a reject file is loaded again, give way to the new ones.
        names = list(self._header or ())
        return names[:-1] if names and names[-1] == REASON_COLUMN else names

    def _write_rows(self, file: TextIO, rows: Sequence[Row], reason: str) -> None:
        width = len(self._names())
        for row in rows:
            cells = [*row.cells[:width], *[""] * (width - len(row.cells))]
            csv.writer(file).writerow([*cells, reason, *row.cells[len(self._header or ()) :]])
