"""Products and variants that domain tests begin with."""

from typing import Any

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


def added(variant: e.Variant) -> e.VariantAdded:
    return e.VariantAdded(*_values(variant))


def changed(variant: e.Variant) -> e.VariantChanged:
    return e.VariantChanged(*_values(variant))


def _values(variant: e.Variant) -> list[Any]:
    return [getattr(variant, field) for field in e.Variant.__struct_fields__]
