"""Products as Shopify's product CSV (RFC 4180), with three columns more, which only our importer reads. Pure.

Rows of one handle are one product: its own cells and the names of its options are on the first row, each row
has one variant and one image, and rows with an image alone follow.

Rows are made as texts, and a few cells are looked at together for what needs quotation marks: tuples of cells
and Python's CSV writer took nearly twice as long.
"""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import msgspec

from query_api.export.shopify_exact import (
    NO_OPTION,
    OPTIONS_MAX,
    ExportedProduct,
    inexact_fields,
    names_if_exact,
    option_names,
)
from shared.contract.events import Variant

_NUMBERS = range(1, OPTIONS_MAX + 1)
_PRODUCT = (
    "Title", "Body (HTML)", "Vendor", "Product Category", "Type", "Tags", "Published", "Status",
    "Attributes (JSON)", "Exact Fields (JSON)",
)  # fmt: skip
_OPTION_NAMES = tuple(f"Option{number} Name" for number in _NUMBERS)
_OPTION_VALUES = tuple(f"Option{number} Value" for number in _NUMBERS)
_VARIANT = (
    "Variant SKU", "Variant Grams", "Variant Price", "Variant Compare At Price", "Variant Currency",
    "Variant Barcode",
)  # fmt: skip
_IMAGE = ("Image Src", "Image Position", "Image Alt Text")
COLUMNS = (
    "Handle", *_PRODUCT[:7],
    *(column for pair in zip(_OPTION_NAMES, _OPTION_VALUES, strict=True) for column in pair),
    *_VARIANT, *_IMAGE, *_PRODUCT[7:],
)  # fmt: skip
_products = msgspec.json.Decoder(ExportedProduct)
_encode = msgspec.json.Encoder().encode
_END = "\r\n"
_NO_PRODUCT = "," * 6
_NO_VARIANT = "," * (2 * OPTIONS_MAX + len(_VARIANT) - 1)
_NO_IMAGE = "," * (len(_IMAGE) - 1)
_NO_LABELS = ("", "", "")
# Of a product without options: Shopify wants one all the same.
_NO_OPTIONS = dict([NO_OPTION])


def header() -> bytes:
    """The first line."""
    return f"{_cells(COLUMNS)}{_END}".encode()


def rows_of(lines: bytes) -> bytes:
    """The rows of these documents, which are one a line."""
    rows: list[str] = []
    for product in _products.decode_lines(lines):
        _add_rows(product, rows)
    return "".join(rows).encode()


def _add_rows(product: ExportedProduct, rows: list[str]) -> None:
    names, inexact = names_if_exact(product), ""
    if names is None:
        names = option_names(product.variants)
        inexact = _quoted_json(inexact_fields(product, names))
    handle = _cell(product.slug)
    own, end = _product_cells(product, handle), f"{product.status},{_attributes(product)},{inexact}"
    options = _Options(names)
    for place, (variant, image) in enumerate(zip_longest(product.variants, product.images), start=1):
        of_variant = _NO_VARIANT if variant is None else _variant_cells(variant, options)
        of_image = _NO_IMAGE if image is None else f"{_cell(image.url)},{place},{_cell(image.alt or '')}"
        rows.append(f"{own},{of_variant},{of_image},{end}{_END}")
        own, end, options.labels = f"{handle},{_NO_PRODUCT}", ",,", _NO_LABELS


def _product_cells(product: ExportedProduct, handle: str) -> str:
    """Those before the options."""
    category = product.category
    path = "" if category is None else category.replace("/", " > ")
    is_published = "FALSE" if product.status == "draft" else "TRUE"
    return (
        f"{handle},{_cell(product.name)},{_cell(product.description or '')},"
        f"{_cells((product.brand or '', path, product.product_type or ''))},"
        f"{_cell(', '.join(product.tags))},{is_published}"
    )


def _attributes(product: ExportedProduct) -> str:
    json = bytes(product.attributes)
    return "" if json == b"{}" else _quoted(json.decode())


def _quoted_json(fields: dict[str, Any]) -> str:
    return _quoted(_encode(fields).decode()) if fields else ""


class _Options:
    """The columns of the options of one product. `labels`: their names, which only the first row shows."""

    __slots__ = ("are_none", "first", "labels", "second", "third")

    def __init__(self, names: Sequence[str]) -> None:
        self.are_none = not names or names == [NO_OPTION[0]]
        self.first = names[0] if names else NO_OPTION[0]
        self.second = names[1] if len(names) > 1 else None
        self.third = names[2] if len(names) > 2 else None
        self.labels = (self.first, self.second or "", self.third or "")


def _variant_cells(variant: Variant, wanted: _Options) -> str:
    second, third = wanted.second, wanted.third
    options = _NO_OPTIONS if wanted.are_none and not variant.options else variant.options
    price, compare_at, grams = variant.price, variant.compare_at_price, variant.weight_grams
    return _cells(
        (
            wanted.labels[0],
            options.get(wanted.first, ""),
            wanted.labels[1],
            "" if second is None else options.get(second, ""),
            wanted.labels[2],
            "" if third is None else options.get(third, ""),
            variant.sku,
            "" if grams is None else str(grams),
            price.amount,
            "" if compare_at is None else compare_at.amount,
            price.currency,
            variant.barcode or "",
        )
    )


def _cells(texts: tuple[str, ...]) -> str:
    """Looked at together: that of a text without such signs costs less than to look at each."""
    cells = ",".join(texts)
    if cells.count(",") < len(texts) and '"' not in cells and "\n" not in cells and "\r" not in cells:
        return cells
    return ",".join(map(_cell, texts))


def _cell(text: str) -> str:
    """In quotation marks only if it has to be."""
    return _quoted(text) if "," in text or '"' in text or "\n" in text or "\r" in text else text


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
