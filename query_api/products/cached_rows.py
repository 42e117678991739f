"""A document of a cache as the row that the table would have."""

from uuid import UUID

from query_api.products.ports import ProductRow
from shared.contract.cached_document import CachedDocument, unpack


def row_of(product_id: UUID, cached: CachedDocument) -> ProductRow:
    """The row of an unpacked document; that of a deleted product has no body."""
    return ProductRow(product_id, cached.stream_version, None if cached.is_deleted else cached.body)


def unpacked_row(product_id: UUID, packed: bytes) -> ProductRow | None:
    """None if this release cannot read the value: then the table answers."""
    try:
        return row_of(product_id, unpack(packed))
    except ValueError:
        return None
