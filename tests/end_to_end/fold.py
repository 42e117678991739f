"""A second, independent fold of events, with plain dicts.

It uses no production code, so that a mistake there is not repeated here.
"""

import json
from datetime import datetime
from typing import Any

Document = dict[str, Any]
_DETAILS = (
    "slug", "name", "description", "brand", "product_type", "category", "tags", "attributes", "images",
)  # fmt: skip
_EMPTY: dict[str, Any] = {"tags": [], "attributes": {}, "images": []}
_STATUS = {"product-published": "active", "product-archived": "archived", "product-restored": "active"}


def fold(document: Document | None, event_type: str, data: Any, version: int, at: datetime) -> Document:
    """The document after one event; a deleted one keeps its last details and has the status `deleted`."""
    if event_type == "product-created":
        assert document is None, "created twice"
        return _created(data, version, at)
    assert document is not None, f"{event_type} before product-created"
    assert document["status"] != "deleted", f"{event_type} after product-deleted"
    after = {**document, "version": version, "updated_at": at}
    variants: list[Document] = [dict(variant) for variant in document["variants"]]
    if event_type == "product-details-changed":
        for name, value in data.items():
            if name == "variant_order":
                by_sku = {variant["sku"]: variant for variant in variants}
                assert sorted(value) == sorted(by_sku), "the order does not name each variant once"
                after["variants"] = [by_sku[sku] for sku in value]
                continue
            assert name in _DETAILS, f"{name} is not a detail"
            after[name] = _EMPTY.get(name) if value is None else value
        after["images"] = [_image(image) for image in after["images"]]
    elif event_type == "product-variant-added":
        assert data["sku"] not in [variant["sku"] for variant in variants], "the variant is there already"
        after["variants"] = [*variants, _variant(data)]
    elif event_type == "product-variant-changed":
        after["variants"] = _replaced(variants, _variant(data))
    elif event_type == "product-variant-removed":
        after["variants"] = [variant for variant in variants if variant["sku"] != data["sku"]]
        assert len(after["variants"]) == len(variants) - 1, "the variant is not there"
    elif event_type == "product-price-changed":
        (priced,) = [variant for variant in variants if variant["sku"] == data["sku"]]
        assert priced["price"] == data["previous_price"], "previous_price is not the price before"
        after["variants"] = _replaced(variants, {**priced, "price": data["price"]})
    elif event_type == "product-deleted":
        after["status"] = "deleted"
        after["updated_at"] = document["updated_at"]  # a tombstone keeps what the product last was
    else:
        after["status"] = _STATUS[event_type]
        if event_type == "product-published":
            after["published_at"] = document["published_at"] or at
    return after


def parsed(body: bytes) -> Document:
    """A document as served or stored, with its times as times; they must be RFC 3339 in UTC."""
    document: Document = json.loads(body)
    for name in ("created_at", "updated_at", "published_at"):
        text = document[name]
        assert text is None or text.endswith("Z"), f"{name} is {text!r}"
        document[name] = None if text is None else datetime.fromisoformat(text)
    return document


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: Python's own `==` takes true for 1, and 1 for 1.0."""
    return json.dumps(one, sort_keys=True, default=str) == json.dumps(other, sort_keys=True, default=str)


def _created(data: Document, version: int, at: datetime) -> Document:
    return {
        "version": version,
        "status": "draft",
        **{name: data.get(name, _EMPTY.get(name)) for name in _DETAILS},
        "images": [_image(image) for image in data.get("images", [])],
        "variants": [_variant(variant) for variant in data["variants"]],
        "created_at": at,
        "updated_at": at,
        "published_at": None,
    }


def _variant(data: Document) -> Document:
    return {
        "sku": data["sku"],
        "options": data["options"],
        "price": data["price"],
        "compare_at_price": data.get("compare_at_price"),
        "barcode": data.get("barcode"),
        "weight_grams": data.get("weight_grams"),
    }


def _image(data: Document) -> Document:
    return {"url": data["url"], "alt": data.get("alt")}


def _replaced(variants: list[Document], variant: Document) -> list[Document]:
    assert variant["sku"] in [each["sku"] for each in variants], "the variant is not there"
    return [variant if each["sku"] == variant["sku"] else each for each in variants]
