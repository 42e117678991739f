"""The limits of a product and its events, in variants and in encoded bytes."""

from typing import Final

import msgspec

from command_api.domain.errors import ProductTooLarge
from command_api.domain.product import Product

VARIANTS_MAX: Final = 250
ATTRIBUTES_BYTES_MAX: Final = 32 * 1024
ENCODED_BYTES_MAX: Final = 512 * 1024
# The document has ids and times, but the measured state has not.
_DOCUMENT_MARGIN_BYTES: Final = 512


def check_sizes(product: Product, event_bytes_largest: int) -> int:
    """The size of the encoded product in bytes. Refuses events that are too large for Kafka: an event that
    the relay cannot send would stop it.

    Raises `ProductTooLarge`.
    """
    # Several patches, each within its limit, may make attributes that exceed it.
    if len(msgspec.json.encode(product.attributes)) > ATTRIBUTES_BYTES_MAX:
        raise ProductTooLarge(f"the attributes would be larger than {ATTRIBUTES_BYTES_MAX} bytes of JSON")
    document_bytes = len(msgspec.json.encode(product)) + _DOCUMENT_MARGIN_BYTES
    if max(event_bytes_largest, document_bytes) > ENCODED_BYTES_MAX:
        raise ProductTooLarge(f"the encoded product would be larger than {ENCODED_BYTES_MAX} bytes")
    return document_bytes
