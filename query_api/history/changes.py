"""What changed between two documents, field by field, as a person reads it.

A changed variant is told by its SKU and its own fields; the version and the time of the change are told
beside the changes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict

from shared.contract.events import Variant
from shared.contract.views import ProductDocument

_FIELDS = (
    "status", "slug", "name", "description", "brand", "product_type", "category", "tags", "images",
    "published_at",
)  # fmt: skip
_encode = msgspec.json.Encoder(order="sorted").encode
_EMPTY: tuple[Any, ...] = (None, (), {})


class Change(Struct, frozen=True):
    """One field. `sku` is there for the fields of a variant; `variant` itself is added or removed."""

    field: str
    before: Any
    after: Any
    sku: str | UnsetType = UNSET


def changes(before: ProductDocument | None, after: ProductDocument | None) -> list[Change]:
    """From a product that was not there all fields that are set; none to one that is no longer there."""
    return (
        []
        if after is None
        else [*_fields(before, after), *_attributes(before, after), *_variants(before, after)]
    )


def _fields(before: ProductDocument | None, after: ProductDocument) -> Iterator[Change]:
    for field in _FIELDS:
        old, new = getattr(before, field, None), getattr(after, field)
        if old != new and not (before is None and new in _EMPTY):
            yield Change(field, old, new)


def _attributes(before: ProductDocument | None, after: ProductDocument) -> Iterator[Change]:
    old: Mapping[str, Any] = before.attributes if before else {}
    for name in sorted(old.keys() | after.attributes.keys()):
        one, other = old.get(name), after.attributes.get(name)
        # As JSON: for Python, true is 1 and 1.0 is 1.
        if (name in old) != (name in after.attributes) or _encode(one) != _encode(other):
            yield Change(f"attributes.{name}", one, other)


def _variants(before: ProductDocument | None, after: ProductDocument) -> Iterator[Change]:
    old = {one.sku: one for one in before.variants} if before else {}
    new = {one.sku: one for one in after.variants}
    for sku in [*old, *(sku for sku in new if sku not in old)]:
        yield from _variant(sku, old.get(sku), new.get(sku))
    orders = [sku for sku in old if sku in new], [sku for sku in new if sku in old]
    if orders[0] != orders[1]:
        yield Change("variant_order", list(old), list(new))


def _variant(sku: str, before: Variant | None, after: Variant | None) -> Iterator[Change]:
    if before is None or after is None:
        yield Change("variant", before, after, sku)
        return
    old, new = _plain(before), _plain(after)
    for field in old:
        if old[field] != new[field]:
            yield Change(field, old[field], new[field], sku)


def _plain(variant: Variant) -> dict[str, Any]:
    return {name: value for name, value in asdict(variant).items() if name != "sku"}
