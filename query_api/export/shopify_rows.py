"""Products as Shopify's product CSV (RFC 4180), with three columns more, which only our importer reads. Pure.

Rows of one handle are one product: its own cells and the names of its options are on the first row, each row
has one variant and one image, and rows with an image alone follow.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
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
Cell = str | int | None
# Rows are tuples in the order of COLUMNS: a dictionary for each row took three times as long.
_NO_PRODUCT: tuple[Cell, ...] = (None,) * 7
_NO_END: tuple[Cell, ...] = (None,) * 3
_NO_OPTIONS: tuple[Cell, ...] = (None,) * OPTIONS_MAX
_NO_VARIANT: tuple[Cell, ...] = (None,) * len(_VARIANT)
_NO_IMAGE: tuple[Cell, ...] = (None,) * len(_IMAGE)


def header() -> bytes:
    """The first line."""
    return _written([COLUMNS])


def rows_of(lines: bytes) -> bytes:
    """The rows of these documents, which are one a line."""
    rows: list[tuple[Cell, ...]] = []
    for line in lines.splitlines():
        rows += _rows(_products.decode(line))
    return _written(rows)


def _written(rows: Sequence[tuple[Cell, ...]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _rows(product: ExportedProduct) -> Iterator[tuple[Cell, ...]]:
    used = option_names(product.variants)
    names = used[:OPTIONS_MAX] or [NO_OPTION[0]]
    shown: tuple[Cell, ...] = (*names, *_NO_OPTIONS[len(names) :])
    start, end = _product_cells(product, used)
    for place, (variant, image) in enumerate(zip_longest(product.variants, product.images), start=1):
        values = _NO_OPTIONS if variant is None else _option_values(variant.options, names)
        yield (
            product.slug,
            *start,
            shown[0], values[0], shown[1], values[1], shown[2], values[2],
            *(_NO_VARIANT if variant is None else _variant_cells(variant)),
            *(_NO_IMAGE if image is None else (image.url, place, image.alt)),
            *end,
        )  # fmt: skip
        start, shown, end = _NO_PRODUCT, _NO_OPTIONS, _NO_END


def _product_cells(
    product: ExportedProduct, names: Sequence[str]
) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    """Those before the options, and those at the end."""
    attributes, inexact = bytes(product.attributes), inexact_fields(product, names)
    start = (
        product.name,
        product.description,
        product.brand,
        None if product.category is None else product.category.replace("/", " > "),
        product.product_type,
        ", ".join(product.tags),
        "FALSE" if product.status == "draft" else "TRUE",
    )
    end = (
        product.status,
        None if attributes == b"{}" else attributes.decode(),
        _encode(inexact).decode() if inexact else None,
    )
    return start, end


def _option_values(options: Mapping[str, str], names: Sequence[str]) -> tuple[Cell, ...]:
    if not options and names == [NO_OPTION[0]]:
        return (NO_OPTION[1], *_NO_OPTIONS[1:])
    return (*map(options.get, names), *_NO_OPTIONS[len(names) :])


def _variant_cells(variant: Variant) -> tuple[Cell, ...]:
    price, compare_at = variant.price, variant.compare_at_price
    return (
        variant.sku,
        variant.weight_grams,
        price.amount,
        None if compare_at is None else compare_at.amount,
        price.currency,
        variant.barcode,
    )
