"""Converts validated bodies to the domain's values, without further checks."""

from typing import Any
from uuid import UUID

from command_api.http import schemas as s
from shared.contract import text
from shared.contract.events import Image, Money, ProductCreated, Variant

SLUG_CHARACTERS_MAX = 200


def money(body: s.MoneyIn) -> Money:
    """The money; its amount already has its currency's precision."""
    return Money(body.amount, body.currency)


def variant(sku: str, body: s.VariantBody) -> Variant:
    """A variant with the SKU of the path or of the body."""
    compare_at = None if body.compare_at_price is None else money(body.compare_at_price)
    return Variant(sku, body.options, money(body.price), compare_at, body.barcode, body.weight_grams)


def product(body: s.ProductIn, product_id: UUID) -> ProductCreated:
    """The whole product; without a given slug, one is made from the name."""
    return ProductCreated(
        slug=body.slug or slug_of(body.name, product_id),
        name=body.name,
        variants=tuple(variant(each.sku, each) for each in body.variants),
        description=body.description,
        brand=body.brand,
        product_type=body.product_type,
        category=body.category,
        tags=tuple(body.tags),
        attributes=body.attributes,
        images=tuple(Image(each.url, each.alt) for each in body.images),
    )


def changes(body: s.PatchIn) -> dict[str, Any]:
    """Only the fields in the patch, as values of the domain."""
    named = {field: getattr(body, field) for field in body.model_fields_set}
    if named.get("tags") is not None:
        named["tags"] = tuple(named["tags"])
    if named.get("images") is not None:
        named["images"] = tuple(Image(each.url, each.alt) for each in named["images"])
    return named


def slug_of(name: str, product_id: UUID) -> str:
    """`Ocean Blue Shirt` -> `ocean-blue-shirt`; letters and marks of every script stay.

    A name without a letter or digit gives a slug from the product's id.
    """
    return text.cut_slug(text.slug_of(name), SLUG_CHARACTERS_MAX) or f"product-{product_id.hex[-12:]}"
