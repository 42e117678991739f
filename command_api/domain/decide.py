"""The decider: turns a command into events, or refuses it. An empty list means that nothing changes.

Pure: the same state gives the same decision, and after its events are folded in, the same command makes no
more events.
"""

from typing import Any

from command_api.domain import commands as c
from command_api.domain.differences import added, changed_details, changes_of
from command_api.domain.errors import (
    LastVariant,
    TooManyVariants,
    TransitionNotAllowed,
    VariantExists,
    VariantNotFound,
)
from command_api.domain.limits import VARIANTS_MAX
from command_api.domain.product import Product, existing
from command_api.domain.upsert import decide_upsert
from shared.contract import events as e
from shared.contract.events import Money, ProductEvent


def decide(command: c.Command, product: Product | None) -> list[ProductEvent]:
    """The events that the command makes of this state. Raises a `Refused`."""
    if isinstance(command, c.CreateProduct):
        return [command.product]
    product = existing(product)
    match command:
        case c.UpsertProduct():
            return decide_upsert(command, product)
        case c.ChangeDetails():
            return _change_details(command.changes, product)
        case c.PutVariant():
            return _put_variant(command, product)
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


def _change_details(changes: dict[str, Any], product: Product) -> list[ProductEvent]:
    changed = changed_details(merge_patch(changes, product), product)
    return [e.ProductDetailsChanged(**changed)] if changed else []


def merge_patch(changes: dict[str, Any], product: Product) -> dict[str, Any]:
    """The patch with `attributes` merged into the present ones, so that every value is a whole new value."""
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


def _put_variant(command: c.PutVariant, product: Product) -> list[ProductEvent]:
    current = product.variants.get(command.variant.sku)
    if current is None:
        if len(product.variants) >= VARIANTS_MAX:
            raise TooManyVariants(f"a product has at most {VARIANTS_MAX} variants")
        return [added(command.variant)]
    if command.must_be_new:
        raise VariantExists(f"the product has a variant {current.sku!r}")
    return changes_of(current, command.variant)


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


def _move(product: Product, event: ProductEvent, *, start: str, end: str) -> list[ProductEvent]:
    if product.status == end:
        return []
    if product.status != start:
        raise TransitionNotAllowed(
            f"a product that is {product.status} cannot become {end} by this: only one that is {start}"
        )
    return [event]
