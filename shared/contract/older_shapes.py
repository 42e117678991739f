"""Older shapes of events, which are in the log but no longer written; upcasters read them.

Downstream teams validate old events against the schemas of these shapes. Each is written out in full and not
derived from the present shape, because it must not change when the present one does.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from shared.contract.events import Variant


class ProductCreatedV1(Struct, frozen=True):
    """The whole product, always a draft; pictures as bare addresses."""

    slug: str
    name: str
    variants: tuple[Variant, ...]
    description: str | None = None
    brand: str | None = None
    product_type: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    attributes: dict[str, Any] = {}
    images: tuple[str, ...] = ()


class ProductDetailsChangedV1(Struct, frozen=True, omit_defaults=True):
    """Only the fields that changed, null where cleared; pictures as bare addresses."""

    slug: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    brand: str | UnsetType | None = UNSET
    product_type: str | UnsetType | None = UNSET
    category: str | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType | None = UNSET
    attributes: dict[str, Any] | UnsetType | None = UNSET
    images: tuple[str, ...] | UnsetType | None = UNSET


OLDER_SHAPES: Mapping[tuple[str, int], type[Struct]] = {
    ("product-created", 1): ProductCreatedV1,
    ("product-details-changed", 1): ProductDetailsChangedV1,
}
"""(stored type, schema version) -> its shape; one for each upcaster."""
