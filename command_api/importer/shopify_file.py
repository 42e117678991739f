"""A Shopify product CSV of any size, read twice so that rows of one handle need not be neighbours.

The first reading records the lines of each handle, and checks that all quotes close: nothing is sent from a
file with an error in its middle. The second reading yields each product as soon as its last row is read.
Handles are compared in normal form: two that look the same are one product. Memory: about 250 bytes per
handle, and the rows of products whose rows are not neighbours.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from command_api.importer.csv_records import read_records
from command_api.importer.errors import FileUnreadable
from command_api.importer.shopify import product_of
from command_api.importer.shopify_columns import Columns, Row, resolve_columns
from command_api.importer.slugs import slug_of_handle
from command_api.importer.source import Candidate, Rejection, lines_text
from shared.contract.text import normal_slug


@dataclass
class _Handles:
    """The result of the first reading. Handles are in normal form here."""

    first_line: dict[str, int] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)
    """For each handle whose rows are not all neighbours: the number of groups of rows."""
    made_from: dict[str, list[str]] = field(default_factory=dict)
    """For each slug that is made of words: the handles that it is made of."""


class ShopifyFile:
    """A `Source`. The constructor raises `FileUnreadable`, before anything is sent."""

    def __init__(self, path: Path, currency: str) -> None:
        self._path = path
        self._currency = currency
        self.bytes_total = path.stat().st_size
        self.bytes_read = 0
        header, rows = self._read()
        self.columns = resolve_columns(header)
        self._handles = _scan(self.columns, rows)
        self.bytes_read = 0

    @property
    def unknown_columns(self) -> tuple[str, ...]:
        return self.columns.unknown

    def line_of(self, slug: str) -> int | None:
        """The first line of the product with this slug."""
        found = self._handles
        return found.first_line.get(slug) or found.first_line.get(found.made_from.get(slug, [slug])[0])

    def __iter__(self) -> Iterator[Candidate | Rejection]:
        _, rows = self._read()
        for group in _products(self.columns, rows, Counter(self._handles.runs)):
            yield self._product(group)

    def _product(self, group: list[Row]) -> Candidate | Rejection:
        handle, line = self.columns.handle(group[0]), group[0].line
        where, label = lines_text(tuple(row.line for row in group)), self.columns.label("Handle")
        if not handle:
            return Rejection(line, f"{where}: {label} is empty", group, where)
        slug = slug_of_handle(handle)
        if not slug:
            reason = f"{where}: {label} {handle!r} has no letter and no digit"
            return Rejection(line, reason, group, where, handle)
        if others := self._others(normal_slug(handle), slug):
            reason = (
                f"{where}: {label} {handle!r} becomes the slug {slug!r}, and so does {' and '.join(others)}"
            )
            return Rejection(line, reason, group, where, handle)
        return product_of(group, self.columns, self._currency)

    def _others(self, handle: str, slug: str) -> list[str]:
        """Other handles of the file, with their lines, from which the same slug was made.

        All of them are rejected: the order of the file must not decide which product gets the slug.
        """
        if slug == handle:
            return []
        wanted_by = dict.fromkeys([*self._handles.made_from.get(slug, ()), slug])
        lines = {each: self._handles.first_line.get(each) for each in wanted_by if each != handle}
        return [f"{each!r} on line {line}" for each, line in lines.items() if line is not None]

    def _read(self) -> tuple[list[str], Iterator[Row]]:
        rows = read_records(self._path, self._progress)
        header = next(rows, None)
        if header is None:
            raise FileUnreadable("the file is empty: a header row is required")
        # A header in the middle: the file was joined from several files.
        repeated = [cell.strip() for cell in header.cells]
        return header.cells, (
            row for row in rows if [cell.strip(" \ufeff") for cell in row.cells] != repeated
        )

    def _progress(self, bytes_read: int) -> None:
        self.bytes_read = bytes_read


def _scan(columns: Columns, rows: Iterator[Row]) -> _Handles:
    found = _Handles()
    runs: Counter[str] = Counter()
    previous = ""
    for row in rows:
        handle = normal_slug(columns.handle(row))
        if handle and handle != previous:
            runs[handle] += 1
            found.first_line.setdefault(handle, row.line)
        previous = handle
    found.runs = {handle: count for handle, count in runs.items() if count > 1}
    made_from: defaultdict[str, list[str]] = defaultdict(list)
    for handle in found.first_line:
        if (slug := slug_of_handle(handle)) != handle:
            made_from[slug].append(handle)
    found.made_from = dict(made_from)
    return found


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
        of_row = normal_slug(columns.handle(row))
        if of_row != handle:
            yield from ended()
            run, handle = [], of_row
        if handle:
            run.append(row)
        else:
            yield [row]
    yield from ended()
