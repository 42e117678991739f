"""Rows of one handle -> one product, or every reason why not: pure, so that each rule is one small test.

Decided here, where Shopify's documentation is silent or ours is short:
- A product's own cells (title, body, vendor …) are the first that are filled among its rows.
- `Status` decides; where it is empty `Published` does; where both are, the product stays a draft.
- A column that the file lacks is left out of the product, an empty cell of one that it has is null.
- Fractions of a gram are rounded: Shopify converts from pounds (`453.59237`).
- `Image Position` orders the pictures; one address is one picture; a variant's picture joins them.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from command_api.importer.shopify_columns import Columns, Row
from command_api.importer.shopify_variants import variants_of
from command_api.importer.slugs import category_path
from command_api.importer.source import WANTED_STATUSES, Candidate, Rejection, WantedStatus

_position = re.compile(r"([0-9]{1,6})(?:\.0+)?", re.ASCII)
_PUBLISHED: dict[str, WantedStatus] = {
    "true": "active",
    "yes": "active",
    "false": "draft",
    "no": "draft",
    "": "draft",
}


def product_of(rows: Sequence[Row], columns: Columns, currency: str) -> Candidate | Rejection:
    """The product that these rows of one handle make; `currency` is the ISO 4217 code of every price."""
    problems = _misshapen(rows, columns)
    product: dict[str, Any] = {"slug": columns.cell(rows[0], "Handle")}
    product["name"] = _first(rows, columns, "Title")
    if not product["name"]:
        problems.append("Title is empty in every row of the product")
    product |= _details(rows, columns)
    product |= {"images": _images(rows, columns, problems)} if columns.has("Image Src") else {}
    product["variants"] = variants_of(rows, columns, currency, problems)
    wanted_status = _wanted_status(rows, columns, problems)
    if problems:
        return Rejection(rows[0].line, "; ".join(problems), list(rows))
    return Candidate(rows[0].line, product, wanted_status, list(rows))


def _first(rows: Sequence[Row], columns: Columns, column: str) -> str:
    return next((text for row in rows if (text := columns.cell(row, column))), "")


def _misshapen(rows: Sequence[Row], columns: Columns) -> list[str]:
    problems = []
    for row in rows:
        if any(cell.strip() for cell in row.cells[len(columns.header) :]):
            problems.append(f"line {row.line} has {len(row.cells)} cells under {len(columns.header)} columns")
        if not _is_utf_8(row):
            problems.append(f"line {row.line} is not UTF-8")
    return problems


def _is_utf_8(row: Row) -> bool:
    try:
        "".join(row.cells).encode()
    except UnicodeEncodeError:  # bytes that the reader kept by surrogateescape
        return False
    return True


def _details(rows: Sequence[Row], columns: Columns) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if columns.has("Body (HTML)"):
        bodies = (columns.raw(row, "Body (HTML)") for row in rows)
        details["description"] = next((body for body in bodies if body.strip()), None)
    for field, column in (("brand", "Vendor"), ("product_type", "Type")):
        if columns.has(column):
            details[field] = _first(rows, columns, column) or None
    if columns.has("Product Category"):
        details["category"] = category_path(_first(rows, columns, "Product Category"))
    if columns.has("Tags"):
        tags = (tag.strip() for tag in _first(rows, columns, "Tags").split(","))
        details["tags"] = list(dict.fromkeys(tag for tag in tags if tag))
    return details


def _images(rows: Sequence[Row], columns: Columns, problems: list[str]) -> list[dict[str, str | None]]:
    placed: list[tuple[Decimal, str, str | None]] = []
    last = Decimal("Infinity")
    for row in rows:
        url = columns.cell(row, "Image Src")
        position = columns.cell(row, "Image Position")
        if url and position and not _position.fullmatch(position):
            problems.append(f"line {row.line}: Image Position {position!r} is not a whole number")
        elif url:
            placed.append(
                (Decimal(position) if position else last, url, columns.cell(row, "Image Alt Text") or None)
            )
    placed.sort(key=lambda image: image[0])
    alts: dict[str, str | None] = {}
    for _, url, alt in placed:
        alts[url] = alts.get(url) or alt
    for row in rows:
        if url := columns.cell(row, "Variant Image"):
            alts.setdefault(url, None)
    return [{"url": url, "alt": alt} for url, alt in alts.items()]


def _wanted_status(rows: Sequence[Row], columns: Columns, problems: list[str]) -> WantedStatus:
    status = _first(rows, columns, "Status").lower()
    if status:
        for known in WANTED_STATUSES:
            if status == known:
                return known
        problems.append(f"Status {status!r} is none of {', '.join(WANTED_STATUSES)}")
        return "draft"
    published = _first(rows, columns, "Published").lower()
    if published not in _PUBLISHED:
        problems.append(f"Published {published!r} is neither TRUE nor FALSE")
    return _PUBLISHED.get(published, "draft")
