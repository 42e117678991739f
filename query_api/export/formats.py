"""The formats of an export, as objects: what a piece of documents becomes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

FormatName = Literal["ndjson"]


@dataclass(frozen=True, slots=True)
class Format:
    """`start` comes before all products; `rows` makes lines of NDJSON into lines of this format."""

    name: FormatName
    media_type: str
    file_name: str
    start: bytes
    rows: Callable[[bytes], bytes]


def _unchanged(lines: bytes) -> bytes:
    return lines


NDJSON = Format("ndjson", "application/x-ndjson", "products.ndjson", b"", _unchanged)
FORMATS = {one.name: one for one in (NDJSON,)}
