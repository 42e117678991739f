"""Reads the records of a CSV file (RFC 4180) strictly, with exceptions for what spreadsheets and people add.

The exceptions: any number of byte order marks; a first line `sep=;`; blanks between a quote and a separator
(in files whose columns were aligned by hand). A quote that never closes, or text after a closing quote, stops
the import: it is not clear where the rows end.

A record over `RECORD_CHARACTERS_MAX` is read to its end, but only its beginning is kept, and it is marked. So
it costs only its own product, and memory is bounded.
"""

import csv
import re
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from pathlib import Path

from command_api.importer.errors import FileUnreadable
from command_api.importer.shopify_columns import Row

RECORD_CHARACTERS_MAX = 16 * 1024 * 1024
LINE_CHARACTERS_MAX = 64 * 1024 * 1024
_separator = re.compile(r'"?sep=([,;|\t])"?[,;|\s]*', re.IGNORECASE)
_to_closing_quote = re.compile(r'[^"]*+(?:""[^"]*+)*+"')


def read_records(path: Path, progress: Callable[[int], object]) -> Iterator[Row]:
    """Every record that has a filled cell, the header included; `progress` is called with the bytes read.

    Bytes that are not UTF-8 are kept (surrogateescape) until their product is known, so that the reject file
    contains them unchanged. Raises `FileUnreadable`.
    """
    csv.field_size_limit(RECORD_CHARACTERS_MAX + LINE_CHARACTERS_MAX)
    with (
        path.open("rb") as binary,
        TextIOWrapper(binary, encoding="utf-8", errors="surrogateescape", newline="") as text,
    ):
        lines = _Lines(text)
        reader = csv.reader(lines, delimiter=lines.delimiter, strict=True)
        line = lines.number + 1
        try:
            for cells in reader:
                progress(binary.tell())
                if any(cell.strip() for cell in cells):
                    yield Row(line, cells, lines.is_cut)
                line = lines.number + 1
                lines.begin_record()
        except csv.Error as error:
            raise FileUnreadable(_explain(error, line, lines.number)) from error


def _explain(error: csv.Error, first_line: int, last_line: int) -> str:
    where = f"line {first_line}"
    if "unexpected end" in str(error):
        return f"{where}: a quote opens in this row and never closes; write a quote inside a cell twice"
    if last_line > first_line:
        where += f" (its row was read up to line {last_line})"
    if "expected after" in str(error):
        return f"{where}: text stands after a closing quote; is a quote inside a cell not written twice?"
    return f"{where}: {error}"


class _Lines:
    """The lines of the file, one by one, cleaned for `csv.reader`.

    The reader asks for the second line of a record only if a quote is open. So we know whether a line begins
    inside a cell without parsing it twice.
    """

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self.number = 0
        self.delimiter = ","
        self._next: str | None = self._read().lstrip("\ufeff")
        if match := _separator.fullmatch(self._next):
            self.delimiter, self._next, self.number = match.group(1), None, 1
        blank = " " if self.delimiter == "\t" else r"[ \t]"
        end = rf"(?={re.escape(self.delimiter)}|[\r\n]|\Z)"
        self._blanks = re.compile(rf"{blank}*{end}")
        self._quoted = re.compile(rf'{blank}*("[^"]*+(?:""[^"]*+)*+"){blank}*{end}')
        self._suspicious = re.compile(rf'"{blank}+{end}|(?:^|{re.escape(self.delimiter)}){blank}+"')
        self.begin_record()

    def begin_record(self) -> None:
        self.is_cut = False
        self._is_inside = False
        self._record_characters = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line, self._next = self._read() if self._next is None else self._next, None
        if not line:
            raise StopIteration
        self.number += 1
        was_inside, self._is_inside = self._is_inside, True
        if was_inside and self._record_characters > RECORD_CHARACTERS_MAX:
            self.is_cut = True
            closing = _to_closing_quote.match(line)
            line = line[closing.end() - 1 :] if closing else ""
            return self._tidy(line, inside=True) if closing else ""
        self._record_characters += len(line)
        return self._tidy(line, was_inside) if self._suspicious.search(line) else line

    def _read(self) -> str:
        line = self._text.readline(LINE_CHARACTERS_MAX + 1)
        if len(line) > LINE_CHARACTERS_MAX:
            raise FileUnreadable(
                f"line {self.number + 1} has more than {LINE_CHARACTERS_MAX:,} characters: no CSV?"
            )
        return line

    def _tidy(self, line: str, inside: bool) -> str:
        """Removes the blanks between quotes and separators."""
        tidy: list[str] = []
        at = 0
        if inside:
            closing = _to_closing_quote.match(line)
            if closing is None:
                return line
            tidy.append(closing.group())
            blanks = self._blanks.match(line, closing.end())
            at = blanks.end() if blanks else closing.end()
        else:
            at = self._cell(line, at, tidy)
        while line.startswith(self.delimiter, at):
            tidy.append(self.delimiter)
            at = self._cell(line, at + 1, tidy)
        return "".join([*tidy, line[at:]])

    def _cell(self, line: str, at: int, tidy: list[str]) -> int:
        """Adds the cell that begins at `at`; returns its end, or `at` if the reader has to decide."""
        if quoted := self._quoted.match(line, at):
            tidy.append(quoted.group(1))
            return quoted.end()
        if line.startswith('"', at):
            return at
        end = line.find(self.delimiter, at)
        tidy.append(line[at:end] if end >= 0 else line[at:])
        return end if end >= 0 else len(line)
