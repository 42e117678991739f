"""The formats of an export, as objects: what a piece of documents becomes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from query_api.export import shopify_cells, shopify_rows

FormatName = Literal["ndjson", "csv"]


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
CSV = Format(
    "csv",
    "text/csv; charset=utf-8; header=present",
    "products.csv",
    shopify_cells.header(),
    shopify_rows.rows_of,
)
FORMATS = {one.name: one for one in (NDJSON, CSV)}
