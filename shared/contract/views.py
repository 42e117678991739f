"""The product document that readers get: exactly the bytes in the answers of the query API."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from shared.contract.events import Image, Variant

ProductStatus = Literal["draft", "active", "archived"]


class ProductDocument(Struct, frozen=True):
    """The product document; the order of the fields is the order in the JSON.

    `version` is the stream version, and the ETag. Only here is the short name used, because it is public.
    """

    id: UUID
    version: int
    status: ProductStatus
    slug: str
    name: str
    description: str | None
    brand: str | None
    product_type: str | None
    category: str | None
    tags: tuple[str, ...]
    attributes: dict[str, Any]
    images: tuple[Image, ...]
    variants: tuple[Variant, ...]
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(ProductDocument)


def encode_document(document: ProductDocument) -> bytes:
    """UTF-8 JSON; times are RFC 3339 in UTC."""
    return _encoder.encode(document)


def decode_document(body: bytes) -> ProductDocument:
    """The document that `encode_document` wrote. Raises `msgspec.MsgspecError` on anything else."""
    return _decoder.decode(body)
