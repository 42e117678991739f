"""Finds what Shopify's columns cannot hold, so that our importer gets it in a column of its own. Pure.

Shopify's cells are read with the mercy that files of people need: blanks at the ends and apostrophes before
numbers are dropped, tags are split at commas, categories become words. What such a reading would change, and
what has no column at all, is in `Exact Fields (JSON)`. These rules may find too much, never too little: a
test reads everything back with the importer.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from msgspec import Raw, Struct

from shared.contract.events import Image, Variant
from shared.contract.text import slug_of
from shared.contract.views import ProductStatus

OPTIONS_MAX = 3
NO_OPTION = ("Title", "Default Title")
# Spreadsheets put these before numbers, and the importer drops them.
_MARKS = "'\u2018\u2019`="
_marked = re.compile(f"[{_MARKS}+]")
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


def names_if_exact(product: ExportedProduct) -> list[str] | None:
    """The names of all options, if a quick look shows that `inexact_fields` finds none; None: it has to look.

    One comparison for all texts takes a third of the time of a call for each, and nearly all products pass.
    """
    variants, images, tags = product.variants, product.images, product.tags
    names = list(variants[0].options) if variants else []
    texts, codes = [product.name, *names, *tags], []
    for one in variants:
        compare_at = one.compare_at_price
        if list(one.options) != names:
            return None
        if compare_at is not None and compare_at.currency != one.price.currency:
            return None
        texts += one.options.values()
        codes += [one.sku] if one.barcode is None else [one.sku, one.barcode]
    for image in images:
        texts += [image.url] if image.alt is None else [image.url, image.alt]
    texts += [text for text in (product.brand, product.product_type) if text is not None]
    texts += codes
    is_exact = (
        len(names) <= OPTIONS_MAX
        and NO_OPTION[0] not in names
        and (len(images) < 2 or len({image.url for image in images}) == len(images))
        and _marked.search("".join(codes)) is None
        and "," not in "".join(tags)
        and _is_description_exact(product.description)
        and (product.category is None or _is_path(product.category))
        and all(texts)
        and list(map(str.strip, texts)) == texts
    )
    return names if is_exact else None


def inexact_fields(product: ExportedProduct, names: Sequence[str]) -> dict[str, Any]:
    """The fields of which the cells would say something else. `names`: those of all options."""
    is_exact = {
        "name": _is_plain(product.name),
        "description": _is_description_exact(product.description),
        "brand": _is_plain(product.brand),
        "product_type": _is_plain(product.product_type),
        "category": product.category is None or _is_path(product.category),
        "tags": _are_tags_exact(product.tags),
        "images": _are_images_exact(product.images),
        "variants": _are_variants_exact(product.variants, names),
    }
    if all(is_exact.values()):
        return {}
    return {field: getattr(product, field) for field, exact in is_exact.items() if not exact}


def option_names(variants: Sequence[Variant]) -> list[str]:
    """All names, in the order in which they first stand."""
    names: dict[str, None] = {}
    for variant in variants:
        names |= dict.fromkeys(variant.options)
    return list(names)


def _is_plain(text: str | None) -> bool:
    """None is an empty cell, so an empty text is not exact."""
    return text is None or (text != "" and text == text.strip())


def _is_description_exact(text: str | None) -> bool:
    """Blanks at its ends stay, but blanks alone are an empty cell."""
    return text is None or bool(text.strip())


@lru_cache(maxsize=4096)
def _is_path(category: str) -> bool:
    """Kept, because many products are in the same category."""
    return all(segment != "" and slug_of(segment) == segment for segment in category.split("/"))


def _are_tags_exact(tags: Sequence[str]) -> bool:
    return "," not in "".join(tags) and all(map(_is_plain, tags))


def _is_code(code: str | None) -> bool:
    if code is None:
        return True
    if not _is_plain(code) or code[0] in _MARKS:
        return False
    return "+" not in code or _shortened.fullmatch(code) is None


def _are_images_exact(images: Sequence[Image]) -> bool:
    is_each_once = len(images) < 2 or len({image.url for image in images}) == len(images)
    return is_each_once and all(_is_plain(one.alt) and _is_plain(one.url) for one in images)


def _are_variants_exact(variants: Sequence[Variant], names: Sequence[str]) -> bool:
    if len(names) > OPTIONS_MAX or not all(map(_is_plain, names)):
        return False
    for one in variants:
        options, compare_at = one.options, one.compare_at_price
        if not (
            _is_code(one.sku)
            and _is_code(one.barcode)
            and (compare_at is None or compare_at.currency == one.price.currency)
            and list(options) == [name for name in names if name in options]
            and all(map(_is_plain, options.values()))
            and options.get(NO_OPTION[0]) != NO_OPTION[1]
        ):
            return False
    return True
