"""The rows of products that Shopify's cells can hold exactly: nearly all, made quickly. Pure.

The time of Python goes into calls for small texts. So the cells that many products share (brand with category
and type, tags, options) are made and looked at once and kept, all other texts of a product are looked at
together, and options stay the bytes that they are. An export without this took 1.4 times as long.

These rules may refuse too much, never too little: what they refuse is the work of `shopify_exact`, and a test
holds the rows of both against each other.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import zip_longest

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

# What needs quotation marks, and what our importer may drop before a number: rare in codes.
_odd_in_codes = re.compile("[,\"\n\r'\u2018\u2019`=+]")
_options = msgspec.json.Decoder(dict[str, str])
_KEPT_MAX = 4096


# None of these can be part of a cycle, so the garbage collector need not know them.
class _Money(Struct, frozen=True, gc=False):
    amount: str
    currency: str


class _Image(Struct, frozen=True, gc=False):
    url: str
    alt: str | None = None


class _Variant(Struct, frozen=True, gc=False):
    sku: str
    options: Raw
    price: _Money
    compare_at_price: _Money | None = None
    barcode: str | None = None
    weight_grams: int | None = None


class QuickProduct(Struct, frozen=True, gc=False):
    """The fields of a document that an import can set."""

    slug: str
    name: str
    status: str
    description: str | None
    brand: str | None
    product_type: str | None
    category: str | None
    tags: tuple[str, ...]
    attributes: Raw
    images: tuple[_Image, ...]
    variants: tuple[_Variant, ...]


def quick_rows(product: QuickProduct) -> str | None:
    """The rows; None: some cell may say something else than the product."""
    kind = _kind_cells(product.brand, product.category, product.product_type)
    tags = _tags_cell(product.tags)
    texts = [product.name]
    variants = _variants_cells(product.variants, texts)
    images = _images_cells(product.images, texts)
    description = product.description
    if (
        kind is None
        or tags is None
        or variants is None
        or images is None
        or not are_plain(texts)
        or (description is not None and not description.strip())
    ):
        return None
    handle, status = cell(product.slug), product.status
    name, body = cell(product.name), cell(description or "")
    own = f"{handle},{name},{body},{kind},{tags},{published_cell(status)}"
    end = f"{status},{json_cell(bytes(product.attributes))},{END}"
    if len(variants) == len(images) == 1:
        return f"{own},{variants[0]},{images[0]},{end}"
    rows = []
    for variant, image in zip_longest(variants, images):
        rows.append(f"{own},{variant or NO_VARIANT},{image or NO_IMAGE},{end}")
        own, end = f"{handle},{NO_PRODUCT}", f"{NO_END}{END}"
    return "".join(rows)


def _variants_cells(variants: Sequence[_Variant], texts: list[str]) -> list[str] | None:
    """Those of each variant; adds to the `texts` that have yet to be looked at."""
    made, codes = [], []
    names: list[str] | None = None
    for one in variants:
        options = _options_cells(bytes(one.options))
        if options is None:
            return None
        if names is None:
            names, chosen, _ = options
        elif options[0] == names:
            chosen = options[2]
        else:
            return None
        sku, price, compare_at, barcode = one.sku, one.price, one.compare_at_price, one.barcode
        if compare_at is not None and compare_at.currency != price.currency:
            return None
        codes += [sku] if barcode is None else [sku, barcode]
        grams = "" if one.weight_grams is None else one.weight_grams
        before = "" if compare_at is None else compare_at.amount
        made.append(f"{chosen},{sku},{grams},{price.amount},{before},{price.currency},{barcode or ''}")
    texts += codes
    return made if _odd_in_codes.search("".join(codes)) is None else None


def _images_cells(images: Sequence[_Image], texts: list[str]) -> list[str] | None:
    """Those of each image; adds to the `texts` that have yet to be looked at."""
    made, urls = [], []
    for place, one in enumerate(images, start=1):
        url, alt = one.url, one.alt
        urls.append(url)
        if alt is None:
            made.append(f"{cell(url)},{place},")
        else:
            texts.append(alt)
            made.append(f"{cell(url)},{place},{cell(alt)}")
    texts += urls
    return made if len(urls) < 2 or len(set(urls)) == len(urls) else None


@lru_cache(_KEPT_MAX)
def _kind_cells(brand: str | None, category: str | None, product_type: str | None) -> str | None:
    if not are_plain([text for text in (brand, product_type) if text is not None]):
        return None
    if category is not None and not is_path(category):
        return None
    return cells((brand or "", path_cell(category), product_type or ""))


@lru_cache(_KEPT_MAX)
def _tags_cell(tags: tuple[str, ...]) -> str | None:
    return cell(", ".join(tags)) if are_plain(list(tags)) and "," not in "".join(tags) else None


@lru_cache(_KEPT_MAX)
def _options_cells(json: bytes) -> tuple[list[str], str, str] | None:
    """The names, the cells on the first row of a product, and those on the others, which show no names."""
    options = _options.decode(json)
    names, values = list(options), list(options.values())
    if len(names) > OPTIONS_MAX or NO_OPTION[0] in names or not are_plain(names + values):
        return None
    shown = options or dict([NO_OPTION])
    missing = [""] * (2 * (OPTIONS_MAX - len(shown)))
    first = [text for pair in shown.items() for text in pair]
    later = [text for value in shown.values() for text in ("", value)]
    return names, cells(first + missing), cells(later + missing)
