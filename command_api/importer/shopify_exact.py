"""The two columns of our own export for what Shopify's columns cannot hold: attributes, and fields whose
cells say less than the product has.

A person who edits such a file edits the cells. If a product has its variants in `Exact Fields (JSON)`, an
edited SKU or price would be ignored without a word; so a product whose cells say something else is rejected.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from command_api.importer.json_lines import LineUnreadable, value_of_line
from command_api.importer.shopify_columns import ATTRIBUTES, EXACT_FIELDS, Columns, Row

FIELDS = frozenset({"name", "description", "brand", "product_type", "category", "tags", "images", "variants"})
# Of a variant; the others are read from the exact fields whatever the cells say.
_AGREED = ("sku", "price")


def exact_fields_of(
    rows: Sequence[Row], columns: Columns, line_of_field: dict[str, int], problems: list[str]
) -> dict[str, Any]:
    """The attributes (null where the cell is empty) and the exact fields; `line_of_field` is filled."""
    fields: dict[str, Any] = {}
    if columns.has(ATTRIBUTES):
        fields["attributes"] = _object(rows, columns, ATTRIBUTES, line_of_field, problems)
    exact = _object(rows, columns, EXACT_FIELDS, line_of_field, problems) or {}
    if unknown := sorted(exact.keys() - FIELDS):
        problems.append(f"line {line_of_field[EXACT_FIELDS]}: {EXACT_FIELDS} has {', '.join(unknown)}")
        return fields
    line_of_field |= dict.fromkeys(exact, line_of_field.get(EXACT_FIELDS, 0))
    return fields | exact


def agreed_fields(
    fields: Mapping[str, Any],
    variants: Sequence[Mapping[str, Any]],
    lines: Sequence[int],
    columns: Columns,
    problems: list[str],
) -> Mapping[str, Any]:
    """The same fields; a problem for each row whose cells do not agree with the exact variants."""
    exact = fields.get("variants")
    if not isinstance(exact, list):
        return fields
    label = columns.label(EXACT_FIELDS)
    if len(exact) != len(variants):
        problems.append(f"{label} has {len(exact)} variants, and the rows have {len(variants)}; empty it")
        return fields
    for line, cells, whole in zip(lines, variants, exact, strict=True):
        for field in _AGREED:
            wanted = whole.get(field) if isinstance(whole, dict) else None
            if field in cells and not _agree(cells[field], wanted):
                said = columns.labels[f"variants/{field}"]
                problems.append(f"line {line}: {said} is not that of {label}: change both, or empty that one")
    return fields


def _agree(cell: Any, wanted: Any) -> bool:
    """A SKU may have lost blanks at its ends, or marks before its digits."""
    if isinstance(cell, str) and isinstance(wanted, str):
        return cell.strip("'\u2018\u2019`=\" ") == wanted.strip("'\u2018\u2019`=\" ")
    return bool(cell == wanted)


def _object(
    rows: Sequence[Row],
    columns: Columns,
    column: str,
    line_of_field: dict[str, int],
    problems: list[str],
) -> dict[str, Any] | None:
    """The JSON object in the first filled cell of the column; None if all are empty."""
    found = next(((row.line, cell) for row in rows if (cell := columns.cell(row, column))), None)
    if found is None:
        return None
    line, cell = found
    line_of_field["attributes" if column == ATTRIBUTES else column] = line
    try:
        value = value_of_line(cell.encode("utf-8", "surrogateescape"))
    except LineUnreadable as error:
        problems.append(f"line {line}: {columns.label(column)}: {error}")
        return None
    if not isinstance(value, dict):
        problems.append(f"line {line}: {columns.label(column)} is not a JSON object")
        return None
    return value
