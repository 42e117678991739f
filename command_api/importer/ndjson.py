"""One product a line: the product of an upsert (an absent field is kept, null clears) and its `status`.

The second line with the same slug is rejected: if both were loaded, every run of the same file would write
the product twice. This costs about 150 bytes of memory per product. Slugs are sent to the API unchanged, and
it refuses wrong ones. They are compared in normal form.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from command_api.importer.encodings import without_marks
from command_api.importer.json_lines import LineUnreadable, value_of_line
from command_api.importer.source import WANTED_STATUSES, Candidate, Lines, Rejection
from shared.contract.text import cut_slug, normal_slug, normal_text, slug_of

LINE_BYTES_MAX = 16 * 1024 * 1024
SHOWN_BYTES_MAX = 1000
MADE_SLUG_CHARACTERS_MAX = 200
# Members of the document that readers get: an export is loaded as it is.
_SET_BY_THE_CATALOGUE = frozenset({"id", "version", "created_at", "updated_at", "published_at"})
_NOT_OF_THE_UPSERT = _SET_BY_THE_CATALOGUE | {"status"}


class NdjsonFile:
    """A `Source`; a line that cannot be read is a rejection with its number."""

    unknown_columns: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line_of_slug: dict[str, int] = {}
        self.bytes_total = path.stat().st_size
        self.bytes_read = 0

    def line_of(self, slug: str) -> int | None:
        """The line of the product with this slug, None before it was read."""
        return self._line_of_slug.get(slug)

    def __iter__(self) -> Iterator[Candidate | Rejection]:
        self._line_of_slug.clear()
        for number, line in self._lines():
            if len(line) > LINE_BYTES_MAX:
                reason = f"line {number} is longer than {LINE_BYTES_MAX:,} bytes; only its beginning was kept"
                yield Rejection(number, reason, line[:SHOWN_BYTES_MAX].decode("utf-8", "backslashreplace"))
            elif line.strip():
                read = candidate_of(number, line)
                yield self._unless_twice(number, read) if isinstance(read, Candidate) else read

    def _unless_twice(self, number: int, read: Candidate) -> Candidate | Rejection:
        slug = read.product.get("slug")
        if not isinstance(slug, str):
            return read
        first = self._line_of_slug.setdefault(normal_slug(slug), number)
        if first == number:
            return read
        reason = f"line {number}: slug {slug!r} stands on line {first} already"
        return Rejection(number, reason, read.original, key=slug)

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """(number from 1, the line); of a line over the limit, a little more than the limit."""
        with self._path.open("rb") as file:
            number = 0
            while line := file.readline(LINE_BYTES_MAX + 1):
                number += 1
                self.bytes_read += len(line)
                rest = line
                while len(line) > LINE_BYTES_MAX and rest and not rest.endswith(b"\n"):
                    rest = file.readline(LINE_BYTES_MAX)
                    self.bytes_read += len(rest)
                yield number, without_marks(line) if number == 1 else line


def candidate_of(number: int, line: bytes) -> Candidate | Rejection:
    """The product of one line. If it has no slug, its name makes one, so that the next import finds it
    again.
    """
    try:
        value = value_of_line(line)
    except LineUnreadable as error:
        text = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
        return Rejection(number, f"line {number}: {error}", text)
    if not isinstance(value, dict):
        return Rejection(number, f"line {number}: a JSON object is wanted, one product a line", value)
    product = {key: member for key, member in value.items() if key not in _NOT_OF_THE_UPSERT}
    status = value.get("status", "")
    if "status" in value and status not in WANTED_STATUSES:
        wanted = ", ".join(WANTED_STATUSES)
        reason = f"line {number}: status {json.dumps(status)} is none of {wanted}"
        return Rejection(number, reason, value)
    if doubled := _doubled_sku(product.get("variants")):
        return Rejection(number, f"line {number}: {doubled}", value)
    name = product.get("name")
    if product.get("slug") is None and isinstance(name, str):
        made = cut_slug(slug_of(name), MADE_SLUG_CHARACTERS_MAX)
        if not made:
            reason = f"line {number}: there is no slug, and the name {name!r} has no letter and no digit"
            return Rejection(number, reason, value)
        product["slug"] = made
    return Candidate(Lines((number,)), product, status or None, value)


def _doubled_sku(variants: Any) -> str | None:
    first_of: dict[str, int] = {}
    for place, variant in enumerate(variants if isinstance(variants, list) else []):
        sku = variant.get("sku") if isinstance(variant, dict) else None
        if isinstance(sku, str) and (first := first_of.setdefault(normal_text(sku), place)) != place:
            return f"SKU {sku!r} stands in variants[{first}] and in variants[{place}]"
    return None
