"""A Shopify product CSV of any size, read twice so that rows of one handle need not be neighbours.

The first reading only notes which handles come back after others and proves that the quotes close:
nothing is sent from a file that breaks in its middle. The second one hands over each product as soon
as its last row is read. Memory: about 150 bytes a handle, and the rows of those products whose
rows are scattered.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from command_api.importer.errors import FileUnreadable
from command_api.importer.shopify import product_of
from command_api.importer.shopify_columns import Columns, Row, resolve_columns
from command_api.importer.source import Candidate, Rejection

FIELD_CHARACTERS_MAX = 4 * 1024 * 1024


class ShopifyFile:
    """A `Source`. Raises `FileUnreadable` when made, before anything was sent."""

    def __init__(self, path: Path, currency: str) -> None:
        self._path = path
        self._currency = currency
        self.bytes_total = path.stat().st_size
        self.bytes_read = 0
        header, rows = self._read()
        self.columns = resolve_columns(header)
        self._scattered = _scattered_runs(self.columns, rows)
        self.bytes_read = 0

    @property
    def unknown_columns(self) -> tuple[str, ...]:
        return self.columns.unknown

    def __iter__(self) -> Iterator[Candidate | Rejection]:
        columns = self.columns
        _, rows = self._read()
        for group in _products(columns, rows, Counter(self._scattered)):
            if columns.cell(group[0], "Handle"):
                yield product_of(group, columns, self._currency)
            else:
                yield Rejection(group[0].line, f"line {group[0].line}: Handle is empty", group)

    def _read(self) -> tuple[list[str], Iterator[Row]]:
        # surrogateescape keeps bytes that are no UTF-8 until their product is known, and gives
        # them back unchanged to the reject file.
        csv.field_size_limit(FIELD_CHARACTERS_MAX)
        binary = self._path.open("rb")
        if binary.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            binary.close()
            raise FileUnreadable("the file is UTF-16; save it as UTF-8")
        binary.seek(0)
        rows = self._rows(binary)
        header = next(rows, None)
        if header is None:
            raise FileUnreadable("the file is empty: a header row is required")
        return header.cells, rows

    def _rows(self, binary: BinaryIO) -> Iterator[Row]:
        with TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
            reader = csv.reader(text, strict=True)
            line = 1
            try:
                for cells in reader:
                    self.bytes_read = binary.tell()
                    if any(cell.strip() for cell in cells):
                        yield Row(line, cells)
                    line = reader.line_num + 1
            except csv.Error as error:
                reason = f"line {line}: {error}; is a quote not doubled or not closed?"
                raise FileUnreadable(reason) from error
            self.bytes_read = self.bytes_total


def _scattered_runs(columns: Columns, rows: Iterator[Row]) -> dict[str, int]:
    """Per handle whose rows are not all neighbours: in how many runs they stand."""
    runs: Counter[str] = Counter()
    previous = ""
    for row in rows:
        handle = columns.cell(row, "Handle")
        if handle != previous:
            runs[handle] += 1
        previous = handle
    del runs[""]
    return {handle: count for handle, count in runs.items() if count > 1}


def _products(columns: Columns, rows: Iterator[Row], runs_left: Counter[str]) -> Iterator[list[Row]]:
    held: dict[str, list[Row]] = {}
    run: list[Row] = []
    handle = ""

    def ended() -> Iterator[list[Row]]:
        if handle in runs_left:
            held.setdefault(handle, []).extend(run)
            runs_left[handle] -= 1
            if not runs_left[handle]:
                yield held.pop(handle)
        elif run:
            yield run

    for row in rows:
        if columns.cell(row, "Handle") != handle:
            yield from ended()
            run, handle = [], columns.cell(row, "Handle")
        if handle:
            run.append(row)
        else:
            yield [row]
    yield from ended()
