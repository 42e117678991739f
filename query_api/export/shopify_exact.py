"""Finds what Shopify's columns cannot hold, so that our importer gets it in a column of its own. Pure.

Shopify's cells are read with the mercy that files of people need: blanks at the ends and apostrophes before
numbers are dropped, tags are split at commas, categories become words. What such a reading would change, and
what has no column at all, is in `Exact Fields (JSON)`. These rules may find too much, never too little: a
test reads everything back with the importer.
"""

import re
from collections.abc import Sequence
from typing import Any

from msgspec import Raw, Struct

from shared.contract.events import Image, Variant
from shared.contract.text import slug_of
from shared.contract.views import ProductStatus

OPTIONS_MAX = 3
NO_OPTION = ("Title", "Default Title")
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


def inexact_fields(product: ExportedProduct) -> dict[str, Any]:
    """The fields of which the cells would say something else."""
    is_exact = {
        "name": _is_plain(product.name),
        "description": product.description is None or bool(product.description.strip()),
        "brand": _is_plain(product.brand),
        "product_type": _is_plain(product.product_type),
        "category": product.category is None or all(map(_is_word, product.category.split("/"))),
        "tags": all(_is_plain(tag) and "," not in tag for tag in product.tags),
        "images": _are_images_exact(product.images),
        "variants": _are_variants_exact(product.variants),
    }
    return {field: getattr(product, field) for field, exact in is_exact.items() if not exact}


def option_names(variants: Sequence[Variant]) -> list[str]:
    """All names, in the order in which they first stand."""
    return list(dict.fromkeys(name for variant in variants for name in variant.options))


def _is_plain(text: str | None) -> bool:
    """None is an empty cell, so an empty text is not exact."""
    return text is None or (text != "" and text == text.strip())


def _is_word(segment: str) -> bool:
    return segment != "" and slug_of(segment) == segment


def _is_code(code: str | None) -> bool:
    if code is None:
        return True
    return _is_plain(code) and code[0] not in _MARKS and _shortened.fullmatch(code) is None


def _are_images_exact(images: Sequence[Image]) -> bool:
    urls = {image.url for image in images}
    return len(urls) == len(images) and all(_is_plain(one.alt) and _is_plain(one.url) for one in images)


def _are_variants_exact(variants: Sequence[Variant]) -> bool:
    names = option_names(variants)
    return (
        len(names) <= OPTIONS_MAX
        and all(map(_is_plain, names))
        and all(
            _is_code(one.sku)
            and _is_code(one.barcode)
            and (one.compare_at_price is None or one.compare_at_price.currency == one.price.currency)
            and list(one.options) == [name for name in names if name in one.options]
            and all(_is_plain(value) for value in one.options.values())
            and NO_OPTION not in one.options.items()
            for one in variants
        )
    )
