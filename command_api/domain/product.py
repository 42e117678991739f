"""The state of a product for decisions: the fold of its events, and its reservations.

A deleted product has a state, too, so that a decision knows that it was deleted.
"""

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import UNSET, Struct
from msgspec.structs import replace

from command_api.domain.errors import ProductNotFound
from shared.contract import events as e
from shared.contract.events import Image, ProductEvent, Variant

Status = Literal["draft", "active", "archived", "deleted"]
Reservation = tuple[Literal["s", "k"], str]
"""A unique name in the catalogue: ("s", slug) or ("k", SKU)."""


class Product(Struct, frozen=True):
    """The state after all events so far; variants by SKU, in the order in which readers see them."""

    status: Status
    slug: str
    name: str
    description: str | None
    brand: str | None
    product_type: str | None
    category: str | None
    tags: tuple[str, ...]
    attributes: dict[str, Any]
    images: tuple[Image, ...]
    variants: dict[str, Variant]


def live(product: Product | None) -> Product | None:
    """The product, or None if it does not exist or was deleted; only this function decides that."""
    return None if product is None or product.status == "deleted" else product


def existing(product: Product | None) -> Product:
    """The product, if it is not deleted. Raises `ProductNotFound`."""
    found = live(product)
    if found is None:
        raise ProductNotFound
    return found


def evolve(product: Product | None, event: ProductEvent) -> Product:
    """The state after one more event; pure, and defined for every event that was ever stored."""
    if isinstance(event, e.ProductCreated):
        return _created(event)
    if product is None:
        raise ValueError(f"{type(event).__name__} before ProductCreated")
    match event:
        case e.ProductDetailsChanged():
            return _details_changed(product, event)
        case e.VariantAdded() | e.VariantChanged():
            return replace(product, variants={**product.variants, event.sku: plain_variant(event)})
        case e.VariantRemoved():
            return replace(product, variants={k: v for k, v in product.variants.items() if k != event.sku})
        case e.PriceChanged():
            repriced = replace(product.variants[event.sku], price=event.price)
            return replace(product, variants={**product.variants, event.sku: repriced})
        case e.ProductPublished() | e.ProductRestored():
            return replace(product, status="active")
        case e.ProductArchived():
            return replace(product, status="archived")
        case e.ProductDeleted():
            return replace(product, status="deleted")


def reservations(product: Product | None) -> frozenset[Reservation]:
    """The reservations of this state: its slug and SKUs; none after a deletion."""
    product = live(product)
    if product is None:
        return frozenset()
    return frozenset([("s", product.slug), *(("k", sku) for sku in product.variants)])


def plain_variant(variant: Variant) -> Variant:
    """The variant of an event: VariantAdded and VariantChanged are subclasses of it."""
    return Variant(
        variant.sku,
        variant.options,
        variant.price,
        variant.compare_at_price,
        variant.barcode,
        variant.weight_grams,
    )


def _created(event: e.ProductCreated) -> Product:
    return Product(
        status="draft",
        slug=event.slug,
        name=event.name,
        description=event.description,
        brand=event.brand,
        product_type=event.product_type,
        category=event.category,
        tags=event.tags,
        attributes=event.attributes,
        images=event.images,
        variants={variant.sku: variant for variant in event.variants},
    )


EMPTY: dict[str, Any] = {"tags": (), "attributes": {}, "images": ()}
DETAILS = tuple(field for field in e.ProductDetailsChanged.__struct_fields__ if field != "variant_order")
"""The fields of a product that a merge patch may change."""


def _details_changed(product: Product, event: e.ProductDetailsChanged) -> Product:
    changes: dict[str, Any] = {}
    for field in DETAILS:
        value = getattr(event, field)
        if value is not UNSET:
            changes[field] = EMPTY.get(field) if value is None else value
    if event.variant_order is not UNSET:
        changes["variants"] = _ordered(product.variants, event.variant_order)
    return replace(product, **changes)


def _ordered(variants: dict[str, Variant], order: Sequence[str]) -> dict[str, Variant]:
    """The variants in this order; those that it does not name follow in their old order, so that every event
    folds.
    """
    first = {sku: variants[sku] for sku in order if sku in variants}
    return {**first, **variants}
