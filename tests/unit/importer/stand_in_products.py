"""What the API makes of an upsert: absent is kept, null clears, variants are the whole list."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.contract.text import normal_slug, normal_text, not_in_a_slug, slug_of

_EMPTY: dict[str, Any] = {
    "description": None,
    "brand": None,
    "product_type": None,
    "category": None,
    "tags": [],
    "attributes": {},
    "images": [],
}
_VARIANT_EMPTY: dict[str, Any] = {
    "options": {},
    "compare_at_price": None,
    "barcode": None,
    "weight_grams": None,
}


class Refused(Exception):
    """The item's problem."""

    def __init__(self, status: int, code: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.problem = {"code": code, "detail": detail, **members}


def invalid(pointer: str, code: str, detail: str) -> Refused:
    error = {"pointer": pointer, "code": code, "detail": detail}
    return Refused(422, "validation-failed", "The body is not valid", errors=[error])


def slug_in(product: Mapping[str, Any]) -> str:
    slug = product.get("slug")
    if not isinstance(slug, str):
        raise invalid("/product/slug", "missing", "Field required")
    slug = normal_slug(slug)
    if not slug or not_in_a_slug(slug) or slug.startswith("-") or slug.endswith("-"):
        raise invalid(
            "/product/slug", "value-error", "Value error, a slug is letters, marks, digits, - and _"
        )
    return slug


def upserted(stored: Mapping[str, Any] | None, product: Mapping[str, Any]) -> dict[str, Any]:
    """The body after the upsert of `product` over `stored`. Raises `Refused`."""
    slug = slug_in(product)
    for field in product:
        if field not in ("slug", "name", "variants", *_EMPTY):
            raise invalid(f"/product/{field}", "extra-forbidden", "Extra inputs are not permitted")
    for field in ("name", "variants"):
        if stored is None and product.get(field) is None:
            raise invalid(f"/product/{field}", "missing", "Field required")
    body: dict[str, Any] = {**_EMPTY, **(stored or {}), "slug": slug}
    for field, value in product.items():
        if field not in ("slug", "variants"):
            body[field] = _EMPTY[field] if value is None else value
    if "not-wanted" in body["tags"]:
        place = body["tags"].index("not-wanted")
        raise invalid(f"/product/tags/{place}", "value-error", "Value error, not wanted here")
    if "variants" in product:
        body["variants"] = _variants(slug, (stored or {}).get("variants", []), product["variants"])
    return body


def _variants(
    slug: str, old: Sequence[dict[str, Any]], given: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    stated = [normal_text(each["sku"]) for each in given if "sku" in each]
    if len(set(stated)) < len(stated):
        raise invalid("/product/variants", "value-error", "Value error, two variants have the same SKU")
    free = {each["sku"]: each for each in old if each["sku"] not in stated}
    merged: list[dict[str, Any]] = []
    for place, each in enumerate(given):
        if "sku" in each:
            base = next((one for one in old if one["sku"] == normal_text(each["sku"])), None)
        elif "options" not in each and (len(given) > 1 or len(old) > 1):
            raise Refused(
                422,
                "variant-ambiguous",
                "a variant without SKU and options",
                errors=[
                    {"pointer": f"/product/variants/{place}", "code": "variant-ambiguous", "detail": "?"}
                ],
            )
        else:
            wanted = each.get("options", old[0]["options"] if old else {})
            base = next((one for one in free.values() if one["options"] == wanted), None)
            if base is not None:
                del free[base["sku"]]
        merged.append({**(base or {}), **each})
    for place, variant in enumerate(merged):
        if "sku" in given[place] and not any(one["sku"] == variant["sku"] for one in old):
            taken_over = next((one for one in free.values() if one["options"] == variant.get("options")), {})
            free.pop(taken_over.get("sku", ""), None)
            merged[place] = {**taken_over, **variant}
    for place, variant in enumerate(merged):
        if variant.get("price") is None:
            pointer = {"pointer": f"/product/variants/{place}/price", "code": "missing", "detail": "needed"}
            raise Refused(422, "variant-needs-price", "a new variant needs a price", errors=[pointer])
        for field, empty in _VARIANT_EMPTY.items():
            if variant.get(field) is None:
                variant[field] = empty
    _make_skus(slug, merged)
    return merged


def _make_skus(slug: str, variants: Sequence[dict[str, Any]]) -> None:
    taken = {variant["sku"] for variant in variants if "sku" in variant}
    missing = [variant for variant in variants if "sku" not in variant]
    for variant in sorted(missing, key=lambda each: list(each["options"].values())):
        stem = "-".join(filter(None, [slug, *map(slug_of, variant["options"].values())]))
        sku, count = stem, 1
        while sku in taken:
            count += 1
            sku = f"{stem}-{count}"
        taken.add(sku)
        variant["sku"] = sku
