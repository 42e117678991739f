"""The names by which a product can be found, as in its document: a pointer counts only if they agree."""

from uuid import UUID

import msgspec
from msgspec import Struct

from query_api.products.ports import PointerKind


class _Sku(Struct):
    sku: str


class _Names(Struct):
    """The rest of a document is skipped, not decoded."""

    id: UUID
    slug: str
    variants: tuple[_Sku, ...]


_names = msgspec.json.Decoder(_Names)


def has_name(body: bytes, kind: PointerKind, value: str) -> bool:
    """Whether the document has this SKU or slug."""
    try:
        names = _names.decode(body)
    except msgspec.MsgspecError:
        return False
    return names.slug == value if kind == "slug" else any(variant.sku == value for variant in names.variants)
