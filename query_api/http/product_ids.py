"""Reads the id of a product from a path; it is decoded after the path was split."""

from urllib.parse import unquote
from uuid import UUID

from query_api.errors import ProductNotFound
from shared.ops.plain_values import canonical_uuid


def product_id_of(segment: str) -> UUID:
    """The id in a path. Raises `ProductNotFound` for a text that no product can have."""
    try:
        return canonical_uuid(unquote(segment))
    except ValueError as error:
        raise ProductNotFound("there is no product with such an id") from error
