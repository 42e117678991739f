"""The variants among a product's rows: options, prices, and SKUs for those that have none.

A made SKU depends on the product's rows alone, never on what is stored: the second run must
make the same ones.
"""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from command_api.importer.shopify_columns import OPTION_NUMBERS, VARIANT_VALUES, Columns, Row
from command_api.importer.slugs import slug_of
from shared.contract.money import MoneyError, normal_amount

_grams = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)


def variants_of(
    rows: Sequence[Row], columns: Columns, currency: str, problems: list[str]
) -> list[dict[str, Any]]:
    """The variants in the order of their rows; what is wrong with them is added to `problems`."""
    names = _option_names(rows, columns, problems)
    variant_rows = [row for row in rows if is_variant(row, columns)]
    if not variant_rows:
        problems.append("no row of the product is a variant with a price")
    variants = [_variant(row, columns, names, currency, problems) for row in variant_rows]
    fill_skus(columns.cell(rows[0], "Handle"), variants)
    return variants


def is_variant(row: Row, columns: Columns) -> bool:
    """Not so where its option and variant cells are empty: then it is a further image, or says nothing.

    Stray cells such as a tax code do not make a picture a variant, but without a picture they are
    a variant that lacks its price: better refused than silently dropped.
    """
    if any(columns.cell(row, column) for column in VARIANT_VALUES):
        return True
    if columns.cell(row, "Image Src") or columns.cell(row, "Variant Image"):
        return False
    return any(
        index < len(row.cells) and row.cells[index].strip() for index in columns.other_variant_positions
    )


def fill_skus(handle: str, variants: Sequence[dict[str, Any]]) -> None:
    """Gives each variant without a SKU `<handle>` or `<handle>-<option values as slug>`, unique here.

    SKUs that the file states are never changed, whether they stand before or after; a collision
    takes the first free of `-2`, `-3` ….
    """
    taken = {variant["sku"] for variant in variants if variant["sku"]}
    for variant in variants:
        if variant["sku"]:
            continue
        words = [handle, *(slug_of(value) for value in variant["options"].values())]
        stem = "-".join(word for word in words if word)
        sku, count = stem, 1
        while sku in taken:
            count += 1
            sku = f"{stem}-{count}"
        taken.add(sku)
        variant["sku"] = sku


def _option_names(rows: Sequence[Row], columns: Columns, problems: list[str]) -> dict[int, str]:
    """They stand on the product's first row only, and hold for all of them."""
    names: dict[int, str] = {}
    for number in OPTION_NUMBERS:
        cells = (columns.cell(row, f"Option{number} Name") for row in rows)
        name = next((cell for cell in cells if cell), "")
        if name and name in names.values():
            problems.append(f"two options are named {name!r}")
        if name:
            names[number] = name
    return names


def _variant(
    row: Row, columns: Columns, names: dict[int, str], currency: str, problems: list[str]
) -> dict[str, Any]:
    wrong: list[str] = []
    price = _money(row, columns, "Variant Price", currency, wrong)
    if not columns.cell(row, "Variant Price"):
        wrong.append("Variant Price is empty")
    variant: dict[str, Any] = {
        "sku": columns.cell(row, "Variant SKU"),
        "options": _options(row, columns, names, wrong),
        "price": price,
        "compare_at_price": _money(row, columns, "Variant Compare At Price", currency, wrong),
        # Spreadsheets write '0123 to keep the leading zero; the apostrophe is theirs.
        "barcode": columns.cell(row, "Variant Barcode").lstrip("'").strip() or None,
        "weight_grams": _weight_grams(row, columns, wrong),
    }
    problems.extend(f"line {row.line}: {reason}" for reason in wrong)
    return variant


def _options(row: Row, columns: Columns, names: dict[int, str], wrong: list[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    for number in OPTION_NUMBERS:
        value = columns.cell(row, f"Option{number} Value")
        name = names.get(number, "")
        if not value or (value == "Default Title" and name in ("Title", "")):
            continue
        if name:
            options[name] = value
        else:
            wrong.append(f"Option{number} Value {value!r} has no Option{number} Name")
    return options


def _money(row: Row, columns: Columns, column: str, currency: str, wrong: list[str]) -> dict[str, str] | None:
    text = columns.cell(row, column)
    if not text:
        return None
    try:
        return {"amount": normal_amount(text, currency), "currency": currency}
    except MoneyError as error:
        wrong.append(f"{column} {text!r}: {error}")
        return None


def _weight_grams(row: Row, columns: Columns, wrong: list[str]) -> int | None:
    text = columns.cell(row, "Variant Grams")
    if not text:
        return None
    if not _grams.fullmatch(text):
        wrong.append(f"Variant Grams {text!r} is not a weight in grams")
        return None
    return int(Decimal(text).quantize(Decimal(1), rounding=ROUND_HALF_UP))
