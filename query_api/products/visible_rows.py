"""Which products a reader sees: without the scope for drafts, the active ones."""

import msgspec
from msgspec import Struct

from query_api.products.ports import ProductRow


class _Status(Struct):
    """The only part of a document that is read: the rest is skipped, not decoded."""

    status: str


_status = msgspec.json.Decoder(_Status)


def status_of(body: bytes) -> str:
    """The status in a document."""
    return _status.decode(body).status


def is_active(body: bytes) -> bool:
    """Whether everybody who may read products may see this document."""
    return status_of(body) == "active"


def seen(row: ProductRow | None, sees_all: bool) -> ProductRow | None:
    """None for a row that this reader may not see. A deleted product has no document to hide."""
    if row is None or row.body is None or sees_all:
        return row
    return row if is_active(row.body) else None
