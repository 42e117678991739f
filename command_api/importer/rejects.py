"""The reject file: rejected products in the format of the input, so that they can be corrected and imported.

The reject file of an earlier run is removed at the start, so that an existing file belongs to the last run.
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
    """Created at the first rejection. With a `header` it is a CSV, without one NDJSON."""

    def __init__(self, imported: Path, header: Sequence[str] | None) -> None:
        self._header = header
        suffix = ".rejected.ndjson" if header is None else ".rejected.csv"
        self.path = imported.with_name(imported.name + suffix)
        self._file: TextIO | None = None
        self.clear()

    def clear(self) -> None:
        """Raises `ImportFailed` if the old file cannot be removed."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise ImportFailed(f"cannot remove {self.path}: {error.strerror}") from error

    def add(self, rejection: Rejection) -> None:
        """Raises `ImportFailed` if the file cannot be written: a rejection must not get lost."""
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
        # If the input is itself a reject file, new reasons replace those of the earlier run.
        names = list(self._header or ())
        return names[:-1] if names and names[-1] == REASON_COLUMN else names

    def _write_rows(self, file: TextIO, rows: Sequence[Row], reason: str) -> None:
        width = len(self._names())
        for row in rows:
            cells = [*row.cells[:width], *[""] * (width - len(row.cells))]
            csv.writer(file).writerow([*cells, reason, *row.cells[len(self._header or ()) :]])
