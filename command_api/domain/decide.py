"""What happens because of a command: the events, or a refusal. Nothing changed is an empty list.

Pure: asked twice with the same state it answers the same, and after its events are folded in,
the same command decides nothing more.
"""

from typing import Any

from command_api.domain import commands as c
from command_api.domain.errors import (
    LastVariant,
    ProductNotFound,
    TooManyVariants,
    TransitionNotAllowed,
    VariantNotFound,
)
from command_api.domain.limits import VARIANTS_MAX
from command_api.domain.product import Product
from shared.contract import events as e
from shared.contract.events import Money, ProductCreated, ProductEvent, Variant


def decide(command: c.Command, product: Product | None) -> list[ProductEvent]:
    """The events that the command makes of this state. Raises a `Refused`."""
    if isinstance(command, c.CreateProduct):
        return [command.product]
    if product is None or product.status == "deleted":
        raise ProductNotFound("there is no such product")
    match command:
        case c.ReplaceProduct():
            return _replace(command.product, product)
        case c.ChangeDetails():
            return _change_details(merge_patch(command.changes, product), product)
        case c.PutVariant():
            return _put_variant(command.variant, product)
        case c.RemoveVariant():
            return _remove_variant(command.sku, product)
        case c.ChangePrice():
            return _change_price(command.sku, command.price, product)
        case c.PublishProduct():
            return _move(product, e.ProductPublished(), start="draft", end="active")
        case c.ArchiveProduct():
            return _move(product, e.ProductArchived(), start="active", end="archived")
        case c.RestoreProduct():
            return _move(product, e.ProductRestored(), start="archived", end="active")
        case c.DeleteProduct():
            return [e.ProductDeleted()]


def merge_patch(changes: dict[str, Any], product: Product) -> dict[str, Any]:
    """The patch with `attributes` merged into the present ones: then every value is a whole new value."""
    if changes.get("attributes") is None:
        return changes
    return {**changes, "attributes": _merged(product.attributes, changes["attributes"])}


def _merged(target: Any, patch: Any) -> Any:
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


def _is_same(one: Any, other: Any) -> bool:
    """Equal as JSON: Python's own `==` takes true for 1, and 1 for 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return bool(one == other)


def _change_details(changes: dict[str, Any], product: Product) -> list[ProductEvent]:
    empty: dict[str, Any] = {"tags": (), "attributes": {}, "images": ()}
    changed: dict[str, Any] = {}
    for field, value in changes.items():
        wanted = empty.get(field) if value is None else value
        if not _is_same(wanted, getattr(product, field)):
            changed[field] = value
    return [e.ProductDetailsChanged(**changed)] if changed else []


def _put_variant(variant: Variant, product: Product) -> list[ProductEvent]:
    current = product.variants.get(variant.sku)
    if current is None:
        if len(product.variants) >= VARIANTS_MAX:
            raise TooManyVariants(f"a product has at most {VARIANTS_MAX} variants")
        return [e.VariantAdded(*_fields(variant))]
    if _fields(current) == _fields(variant):
        return []
    if _fields(current, without_price=True) == _fields(variant, without_price=True):
        return [e.PriceChanged(variant.sku, variant.price, current.price)]
    return [e.VariantChanged(*_fields(variant))]


def _remove_variant(sku: str, product: Product) -> list[ProductEvent]:
    if sku not in product.variants:
        raise VariantNotFound(f"the product has no variant {sku!r}")
    if len(product.variants) == 1:
        raise LastVariant("a product keeps at least one variant")
    return [e.VariantRemoved(sku)]


def _change_price(sku: str, price: Money, product: Product) -> list[ProductEvent]:
    current = product.variants.get(sku)
    if current is None:
        raise VariantNotFound(f"the product has no variant {sku!r}")
    return [] if current.price == price else [e.PriceChanged(sku, price, current.price)]


def _replace(wanted: ProductCreated, product: Product) -> list[ProductEvent]:
    details = {field: getattr(wanted, field) for field in e.ProductDetailsChanged.__struct_fields__}
    decided = _change_details(details, product)
    skus = {variant.sku for variant in wanted.variants}
    # Removed before added: between the two a product may be without variants, but never over its limit.
    decided += [e.VariantRemoved(sku) for sku in product.variants if sku not in skus]
    for variant in wanted.variants:
        if variant.sku in product.variants:
            decided += _put_variant(variant, product)
        else:
            decided.append(e.VariantAdded(*_fields(variant)))
    return decided


def _move(product: Product, event: ProductEvent, *, start: str, end: str) -> list[ProductEvent]:
    if product.status == end:
        return []
    if product.status != start:
        raise TransitionNotAllowed(
            f"a product that is {product.status} cannot become {end} by this: only one that is {start}"
        )
    return [event]


def _fields(variant: Variant, *, without_price: bool = False) -> tuple[Any, ...]:
    price = None if without_price else variant.price
    return (
        variant.sku,
        variant.options,
        price,
        variant.compare_at_price,
        variant.barcode,
        variant.weight_grams,
    )
