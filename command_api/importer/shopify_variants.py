"""The variants among a product's rows: options, prices, SKUs, in the order of the rows.

A variant whose SKU cell is empty is sent without a SKU: the API keeps the one that the variant of the same
options has, and makes one for a new variant. A column that the file lacks is left out of every variant.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from command_api.importer.cells import (
    amount_text,
    barcode_text,
    is_shortened_number,
    number_text,
    whole_grams,
    without_apostrophe_before_digits,
)
from command_api.importer.shopify_columns import OPTION_NUMBERS, VARIANT_VALUES, Columns, Row
from command_api.importer.source import lines_text
from shared.contract.money import MoneyError, normal_amount
from shared.contract.text import normal_text

WEIGHT_GRAMS_MAX = 1_000_000_000
OPTION_VALUE_COLUMNS = tuple(f"Option{number} Value" for number in OPTION_NUMBERS)


def variants_of(
    rows: Sequence[Row], columns: Columns, currency: str, problems: list[str]
) -> tuple[list[dict[str, Any]] | None, tuple[int, ...]]:
    """(variants, line of each); no variants if the file has no column for them.

    Errors are added to `problems`.
    """
    if not columns.has(*VARIANT_VALUES):
        return None, ()
    names = _option_names(rows, columns, problems)
    variant_rows = [row for row in rows if is_variant(row, columns)]
    if not variant_rows:
        where = lines_text(tuple(row.line for row in rows))
        problems.append(f"{where}: no row of the product is a variant with a price")
    variants = [_variant(row, columns, names, currency, problems) for row in variant_rows]
    lines = tuple(row.line for row in variant_rows)
    _refuse_doubled_skus(variants, lines, problems)
    return variants, lines


def is_variant(row: Row, columns: Columns) -> bool:
    """False if its option and variant cells are empty: then the row is a further image, or empty.

    Other filled cells, such as a tax code, do not turn a row with an image into a variant. Without an image
    such a row is a variant that lacks its price: it is rejected and not silently dropped.
    """
    if any(columns.cell(row, column) for column in VARIANT_VALUES):
        return True
    if columns.cell(row, "Image Src") or columns.cell(row, "Variant Image"):
        return False
    return any(
        index < len(row.cells) and row.cells[index].strip() for index in columns.other_variant_positions
    )


def _refuse_doubled_skus(
    variants: Sequence[dict[str, Any]], lines: Sequence[int], problems: list[str]
) -> None:
    lines_of: defaultdict[str, list[int]] = defaultdict(list)
    for variant, line in zip(variants, lines, strict=True):
        if "sku" in variant:
            lines_of[normal_text(variant["sku"])].append(line)
    for sku, its_lines in lines_of.items():
        if len(its_lines) > 1:
            problems.append(f"SKU {sku!r} stands on {lines_text(tuple(its_lines))}")


def _option_names(rows: Sequence[Row], columns: Columns, problems: list[str]) -> dict[int, str]:
    """The names are on the product's first row only, and hold for all its rows."""
    names: dict[int, str] = {}
    for number in OPTION_NUMBERS:
        cells = ((row.line, columns.cell(row, f"Option{number} Name")) for row in rows)
        line, name = next((found for found in cells if found[1]), (0, ""))
        if name and normal_text(name) in map(normal_text, names.values()):
            problems.append(f"line {line}: two options are named {name!r}")
        if name:
            names[number] = name
    return names


def _variant(
    row: Row, columns: Columns, names: dict[int, str], currency: str, problems: list[str]
) -> dict[str, Any]:
    wrong: list[str] = []
    variant: dict[str, Any] = {}
    currency = columns.cell(row, "Variant Currency") or currency
    if sku := without_apostrophe_before_digits(columns.cell(row, "Variant SKU")):
        variant["sku"] = sku
    if columns.has(*OPTION_VALUE_COLUMNS):
        variant["options"] = _options(row, columns, names, wrong)
    if columns.has("Variant Price"):
        variant["price"] = _money(row, columns, "Variant Price", currency, wrong)
        if not columns.cell(row, "Variant Price"):
            wrong.append(f"{columns.label('Variant Price')} is empty")
    if columns.has("Variant Compare At Price"):
        variant["compare_at_price"] = _money(row, columns, "Variant Compare At Price", currency, wrong)
    if columns.has("Variant Barcode"):
        variant["barcode"] = barcode_text(columns.cell(row, "Variant Barcode")) or None
    if columns.has("Variant Grams"):
        variant["weight_grams"] = _weight_grams(row, columns, wrong)
    for column in ("Variant SKU", "Variant Barcode"):
        if is_shortened_number(cell := columns.cell(row, column)):
            wrong.append(f"{columns.label(column)} {cell!r}: a spreadsheet has cut off its last digits")
    problems.extend(f"line {row.line}: {reason}" for reason in wrong)
    return variant


def _options(row: Row, columns: Columns, names: dict[int, str], wrong: list[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    for number, column in zip(OPTION_NUMBERS, OPTION_VALUE_COLUMNS, strict=True):
        value = columns.cell(row, column)
        name = names.get(number, "")
        if not value or (value == "Default Title" and name in ("Title", "")):
            continue
        if name:
            options[name] = value
        else:
            label = columns.label(f"Option{number} Name")
            wrong.append(f"{columns.label(column)} {value!r} has no {label}")
    return options


def _money(row: Row, columns: Columns, column: str, currency: str, wrong: list[str]) -> dict[str, str] | None:
    text = amount_text(columns.cell(row, column))
    if not text:
        return None
    try:
        return {"amount": normal_amount(text, currency), "currency": currency}
    except MoneyError as error:
        wrong.append(f"{columns.label(column)} {text!r}: {error}")
        return None


def _weight_grams(row: Row, columns: Columns, wrong: list[str]) -> int | None:
    text = number_text(columns.cell(row, "Variant Grams"))
    if not text:
        return None
    label = columns.label("Variant Grams")
    try:
        grams = whole_grams(text, WEIGHT_GRAMS_MAX)
    except OverflowError:
        wrong.append(f"{label} {text!r} is more than {WEIGHT_GRAMS_MAX:,} grams")
        return None
    if grams is None:
        wrong.append(f"{label} {text!r} is not a weight in grams")
    return grams
