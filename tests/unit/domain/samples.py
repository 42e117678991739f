"""Products and variants that domain tests begin with."""

from typing import Any

import msgspec

from command_api.domain.commands import UpsertProduct, VariantUpsert
from command_api.domain.product import DETAILS
from shared.contract import events as e

MEDIUM = e.Variant("OBS-M", {"size": "M"}, e.Money("50.00", "USD"))
LARGE = e.Variant(
    "OBS-L", {"size": "L"}, e.Money("55.00", "USD"), e.Money("60.00", "USD"), "4006381333931", 250
)


def created(*variants: e.Variant, **fields: Any) -> e.ProductCreated:
    """Ocean Blue Shirt, in these variants (one medium by default)."""
    values: dict[str, Any] = {
        "slug": "ocean-blue-shirt",
        "name": "Ocean Blue Shirt",
        "variants": variants or (MEDIUM,),
        "brand": "Ocean",
        "tags": ("men",),
        "attributes": {"colour": "blue", "care": {"wash": 30, "iron": True}},
        "images": (e.Image("https://example.test/1.png", "front"),),
    }
    return e.ProductCreated(**{**values, **fields})


def whole(product: e.ProductCreated) -> UpsertProduct:
    """An upsert that names every field of the product and of its variants."""
    changes = {field: getattr(product, field) for field in DETAILS if field != "slug"}
    return UpsertProduct(product.slug, changes, tuple(map(whole_variant, product.variants)))


def whole_variant(variant: e.Variant) -> VariantUpsert:
    """A variant of an upsert that names every field."""
    values = msgspec.structs.asdict(variant)
    return VariantUpsert(values.pop("sku"), values)


def added(variant: e.Variant) -> e.VariantAdded:
    return e.VariantAdded(*_values(variant))


def changed(variant: e.Variant) -> e.VariantChanged:
    return e.VariantChanged(*_values(variant))


def _values(variant: e.Variant) -> list[Any]:
    return [getattr(variant, field) for field in e.Variant.__struct_fields__]
