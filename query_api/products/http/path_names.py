"""Reads the SKU or slug of a product from a path; it is decoded after the path was split.

Raises `ProductNotFound` for a name that no product can have; `find.py` decides whether the product exists.
"""

from query_api.errors import ProductNotFound
from query_api.products.ports import PointerKind
from shared.contract.text import NFC_SHRINKS_TO_A_QUARTER, normal_slug, normal_text
from shared.ops.http.path import segment_text

NAME_CHARACTERS_MAX = 255


def name_of(segment: str, kind: PointerKind) -> str:
    """The SKU or slug in a path, in its stored form."""
    try:
        name = segment_text(segment)
    except UnicodeDecodeError as error:
        raise ProductNotFound("the address is not UTF-8") from error
    if len(name) <= NFC_SHRINKS_TO_A_QUARTER * NAME_CHARACTERS_MAX:
        name = normal_slug(name) if kind == "slug" else normal_text(name)
    if "\0" in name or len(name) > NAME_CHARACTERS_MAX:
        raise ProductNotFound
    return name
