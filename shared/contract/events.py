"""The events of a product, which the log keeps for ever.

A new field needs a default. Any other change is a new schema version with an upcaster (`upcasters.py`) and a
golden file. The events are `msgspec` structs and not dataclasses, because decoding is the inner loop of every
rebuild.
"""

from typing import Any

from msgspec import UNSET, Struct, UnsetType


class Money(Struct, frozen=True):
    """A decimal string in the currency's own precision, such as `50.00`, and an ISO 4217 code."""

    amount: str
    currency: str


class Image(Struct, frozen=True):
    """A picture by address; `alt` is what a screen reader says."""

    url: str
    alt: str | None = None


class Variant(Struct, frozen=True):
    """The sellable unit: the SKU is unique over the catalogue, the weight is in grams."""

    sku: str
    options: dict[str, str]
    price: Money
    compare_at_price: Money | None = None
    barcode: str | None = None
    weight_grams: int | None = None


class ProductCreated(Struct, frozen=True):
    """The whole product, always a draft."""

    slug: str
    name: str
    variants: tuple[Variant, ...]
    description: str | None = None
    brand: str | None = None
    product_type: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    attributes: dict[str, Any] = {}
    images: tuple[Image, ...] = ()


class ProductDetailsChanged(Struct, frozen=True, omit_defaults=True):
    """Only the fields that changed, each with its new whole value; null says that it was cleared.

    `variant_order` lists the SKUs of all variants in their new order; without it the order is as it was.
    """

    slug: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    brand: str | UnsetType | None = UNSET
    product_type: str | UnsetType | None = UNSET
    category: str | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType | None = UNSET
    attributes: dict[str, Any] | UnsetType | None = UNSET
    images: tuple[Image, ...] | UnsetType | None = UNSET
    variant_order: tuple[str, ...] | UnsetType = UNSET


class VariantAdded(Variant, frozen=True):
    """A new sellable unit; the data is the variant itself."""


class VariantChanged(Variant, frozen=True):
    """The variant of this SKU as it is from now on, its price included."""


class VariantRemoved(Struct, frozen=True):
    """The SKU is free again."""

    sku: str


class PriceChanged(Struct, frozen=True):
    """The price of one variant and nothing else of it."""

    sku: str
    price: Money
    previous_price: Money


class ProductPublished(Struct, frozen=True):
    """From draft to active."""


class ProductArchived(Struct, frozen=True):
    """From active to archived."""


class ProductRestored(Struct, frozen=True):
    """From archived back to active."""


class ProductDeleted(Struct, frozen=True):
    """Gone for readers; slug and SKUs are free again; the history stays."""


ProductEvent = (
    ProductCreated
    | ProductDetailsChanged
    | VariantAdded
    | VariantChanged
    | VariantRemoved
    | PriceChanged
    | ProductPublished
    | ProductArchived
    | ProductRestored
    | ProductDeleted
)
