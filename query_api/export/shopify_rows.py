"""Products as Shopify's product CSV (RFC 4180), with three columns more, which only our importer reads. Pure.

Rows of one handle are one product: its own cells and the names of its options are on the first row, each row
has one variant and one image, and rows with an image alone follow.
"""

import csv
import io
from itertools import zip_longest

import msgspec

from query_api.export.shopify_exact import (
    NO_OPTION,
    OPTIONS_MAX,
    ExportedProduct,
    inexact_fields,
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
Cells = dict[str, str | int | None]


def header() -> bytes:
    """The first line."""
    return _written([dict(zip(COLUMNS, COLUMNS, strict=True))])


def rows_of(lines: bytes) -> bytes:
    """The rows of these documents, which are one a line."""
    return _written([row for line in lines.splitlines() for row in _rows(_products.decode(line))])


def _written(rows: list[Cells]) -> bytes:
    text = io.StringIO(newline="")
    csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _rows(product: ExportedProduct) -> list[Cells]:
    names = option_names(product.variants)[:OPTIONS_MAX] or [NO_OPTION[0]]
    rows: list[Cells] = []
    for place, (variant, image) in enumerate(zip_longest(product.variants, product.images), start=1):
        row: Cells = {"Handle": product.slug}
        if variant is not None:
            row |= _variant_cells(variant, names)
        if image is not None:
            row |= zip(_IMAGE, (image.url, place, image.alt), strict=True)
        rows.append(row)
    rows[0] |= _product_cells(product) | dict(zip(_OPTION_NAMES, names, strict=False))
    return rows


def _product_cells(product: ExportedProduct) -> Cells:
    attributes, inexact = bytes(product.attributes), inexact_fields(product)
    cells = (
        product.name,
        product.description,
        product.brand,
        None if product.category is None else " > ".join(product.category.split("/")),
        product.product_type,
        ", ".join(product.tags),
        "FALSE" if product.status == "draft" else "TRUE",
        product.status,
        None if attributes == b"{}" else attributes.decode(),
        _encode(inexact).decode() if inexact else None,
    )
    return dict(zip(_PRODUCT, cells, strict=True))


def _variant_cells(variant: Variant, names: list[str]) -> Cells:
    compare_at, options = variant.compare_at_price, variant.options
    if not options and names == [NO_OPTION[0]]:
        options = dict([NO_OPTION])
    cells = (
        variant.sku,
        variant.weight_grams,
        variant.price.amount,
        None if compare_at is None else compare_at.amount,
        variant.price.currency,
        variant.barcode,
    )
    values = (options.get(name) for name in names)
    return dict(zip(_VARIANT, cells, strict=True)) | dict(zip(_OPTION_VALUES, values, strict=False))
