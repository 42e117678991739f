"""Finds the events that change a product to the wanted state; without a difference there is no event."""

from typing import Any

from command_api.domain.product import EMPTY, Product
from shared.contract import events as e
from shared.contract.events import ProductEvent, Variant


def changed_details(wanted: dict[str, Any], product: Product) -> dict[str, Any]:
    """The `wanted` fields that differ from the product's; None clears a field."""
    return {
        field: value
        for field, value in wanted.items()
        if not _is_same(EMPTY.get(field) if value is None else value, getattr(product, field))
    }


def changes_of(current: Variant, wanted: Variant) -> list[ProductEvent]:
    """The events from one variant to another with the same SKU; a new price alone has an event of its own."""
    if current == wanted:
        return []
    if _values(current, without_price=True) == _values(wanted, without_price=True):
        return [e.PriceChanged(wanted.sku, wanted.price, current.price)]
    return [e.VariantChanged(*_values(wanted))]


def added(variant: Variant) -> ProductEvent:
    """The event that adds this variant."""
    return e.VariantAdded(*_values(variant))


def _values(variant: Variant, *, without_price: bool = False) -> list[Any]:
    skipped = "price" if without_price else ""
    return [getattr(variant, field) for field in Variant.__struct_fields__ if field != skipped]


def _is_same(one: Any, other: Any) -> bool:
    """Equal as JSON: Python's own `==` takes true for 1, and 1 for 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return bool(one == other)
