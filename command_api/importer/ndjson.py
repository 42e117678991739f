"""One product a line: the body of POST /v1/products and, if wanted, its `status`.

A slug that comes twice is rejected the second time: taken as a change, it would make every run of
the same file rewrite the product twice. That costs about 150 bytes of memory a product.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from command_api.importer.errors import FileUnreadable
from command_api.importer.slugs import slug_of
from command_api.importer.source import WANTED_STATUSES, Candidate, Rejection

LINE_BYTES_MAX = 16 * 1024 * 1024
MADE_SLUG_CHARACTERS_MAX = 200


class NdjsonFile:
    """A `Source`; a line that cannot be read is a rejection with its number."""

    unknown_columns: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self._path = path
        self.bytes_total = path.stat().st_size
        self.bytes_read = 0

    def __iter__(self) -> Iterator[Candidate | Rejection]:
        line_of_slug: dict[str, int] = {}
        for number, line in self._lines():
            if not line.strip():
                continue
            read = candidate_of(number, line)
            if isinstance(read, Candidate):
                slug = read.product.get("slug")
                first = line_of_slug.setdefault(slug, number) if isinstance(slug, str) else number
                if first != number:
                    read = Rejection(number, f"slug {slug!r} stands on line {first} already", read.product)
            yield read

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with self._path.open("rb") as file:
            number = 0
            while line := file.readline(LINE_BYTES_MAX + 1):
                number += 1
                if len(line) > LINE_BYTES_MAX:
                    raise FileUnreadable(f"line {number} is longer than {LINE_BYTES_MAX} bytes")
                self.bytes_read += len(line)
                yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line


def candidate_of(number: int, line: bytes) -> Candidate | Rejection:
    """What one line holds. A product without a slug gets one from its name, so that it can be found again."""
    try:
        value: Any = json.loads(line.decode("utf-8"), parse_constant=_no_json, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        return Rejection(
            number, f"not JSON: {error}", line.decode("utf-8", "backslashreplace").rstrip("\r\n")
        )
    if not isinstance(value, dict):
        return Rejection(number, "a JSON object is wanted, one product a line", value)
    product = {key: member for key, member in value.items() if key != "status"}
    status = value.get("status", "draft")
    if status not in WANTED_STATUSES:
        return Rejection(number, f"status {status!r} is none of {', '.join(WANTED_STATUSES)}", value)
    name = product.get("name")
    if product.get("slug") is None and isinstance(name, str):
        product["slug"] = slug_of(name)[:MADE_SLUG_CHARACTERS_MAX].strip("-") or None
    return Candidate(number, product, status, value)


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number} is too large")
    return value


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
