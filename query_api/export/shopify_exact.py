"""The rows of any product, with what Shopify's cells cannot hold in a column of its own. Pure.

Shopify's cells are read with the mercy that files of people need: blanks at the ends and apostrophes before
numbers are dropped, tags are split at commas, categories become words. What such a reading would change, and
what has no column at all, is in `Exact Fields (JSON)`. These rules may find too much, never too little: a
test reads everything back with the importer.
"""

import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import msgspec
from msgspec import Raw, Struct

from query_api.export.shopify_cells import (
    END,
    NO_END,
    NO_IMAGE,
    NO_OPTION,
    NO_PRODUCT,
    NO_VARIANT,
    OPTIONS_MAX,
    are_plain,
    cell,
    cells,
    is_path,
    json_cell,
    path_cell,
    published_cell,
)
from shared.contract.events import Image, Variant
from shared.contract.views import ProductStatus

# Spreadsheets put these before numbers, and the importer drops them.
_MARKS = "'\u2018\u2019`="
_shortened = re.compile(r"[0-9]\.[0-9]+[eE]\+[0-9]{2}", re.ASCII)


class ExportedProduct(Struct, frozen=True):
    """The fields of a document that an import can set; the attributes stay the bytes that they are."""

    slug: str
    name: str
    status: ProductStatus
    description: str | None
    brand: str | None
    product_type: str | None
    category: str | None
    tags: tuple[str, ...]
    attributes: Raw
    images: tuple[Image, ...]
    variants: tuple[Variant, ...]


_products = msgspec.json.Decoder(ExportedProduct)
_encode = msgspec.json.Encoder().encode


def exact_rows(document: bytes) -> str:
    """The rows of one product."""
    product = _products.decode(document)
    names = _option_names(product.variants)
    inexact = json_cell(_encode(inexact_fields(product, names)))
    own = cells(
        [
            product.slug,
            product.name,
            product.description or "",
            product.brand or "",
            path_cell(product.category),
            product.product_type or "",
            ", ".join(product.tags),
            published_cell(product.status),
        ]
    )
    end = f"{product.status},{json_cell(bytes(product.attributes))},{inexact}"
    shown = (names or [NO_OPTION[0]])[:OPTIONS_MAX]
    labels, rows = shown, []
    for place, (variant, image) in enumerate(zip_longest(product.variants, product.images), start=1):
        of_variant = NO_VARIANT if variant is None else _variant_cells(variant, shown, labels)
        of_image = NO_IMAGE if image is None else cells([image.url, str(place), image.alt or ""])
        rows.append(f"{own},{of_variant},{of_image},{end}{END}")
        own, end, labels = f"{cell(product.slug)},{NO_PRODUCT}", NO_END, []
    return "".join(rows)


def inexact_fields(product: ExportedProduct, names: Sequence[str]) -> dict[str, Any]:
    """The fields of which the cells would say something else. `names`: those of all options."""
    is_exact = {
        "name": _is_plain(product.name),
        "description": product.description is None or bool(product.description.strip()),
        "brand": _is_plain(product.brand),
        "product_type": _is_plain(product.product_type),
        "category": product.category is None or is_path(product.category),
        "tags": "," not in "".join(product.tags) and are_plain(list(product.tags)),
        "images": _are_images_exact(product.images),
        "variants": _are_variants_exact(product.variants, names),
    }
    return {field: getattr(product, field) for field, exact in is_exact.items() if not exact}


def _option_names(variants: Sequence[Variant]) -> list[str]:
    """All, in the order in which they first stand."""
    return list(dict.fromkeys(name for variant in variants for name in variant.options))


def _variant_cells(variant: Variant, names: Sequence[str], labels: Sequence[str]) -> str:
    """`labels`: the names, if this row shows them."""
    options = dict([NO_OPTION]) if names == [NO_OPTION[0]] and not variant.options else variant.options
    price, compare_at, grams = variant.price, variant.compare_at_price, variant.weight_grams
    pairs = zip_longest(labels, (options.get(name, "") for name in names), range(OPTIONS_MAX), fillvalue="")
    return cells(
        [
            *(text for label, value, _ in pairs for text in (label, value)),
            variant.sku,
            "" if grams is None else str(grams),
            price.amount,
            "" if compare_at is None else compare_at.amount,
            price.currency,
            variant.barcode or "",
        ]
    )


def _is_plain(text: str | None) -> bool:
    """None is an empty cell, so an empty text is not exact."""
    return text is None or are_plain([text])


def _is_code(code: str | None) -> bool:
    if code is None:
        return True
    return _is_plain(code) and code[0] not in _MARKS and _shortened.fullmatch(code) is None


def _are_images_exact(images: Sequence[Image]) -> bool:
    is_each_once = len({image.url for image in images}) == len(images)
    return is_each_once and all(_is_plain(one.alt) and _is_plain(one.url) for one in images)


def _are_variants_exact(variants: Sequence[Variant], names: Sequence[str]) -> bool:
    if len(names) > OPTIONS_MAX or not are_plain(list(names)):
        return False
    for one in variants:
        options, compare_at = one.options, one.compare_at_price
        if not (
            _is_code(one.sku)
            and _is_code(one.barcode)
            and (compare_at is None or compare_at.currency == one.price.currency)
            and list(options) == [name for name in names if name in options]
            and are_plain(list(options.values()))
            and options.get(NO_OPTION[0]) != NO_OPTION[1]
        ):
            return False
    return True
