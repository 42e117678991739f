"""Makes one product from the rows of one handle, or gives every reason why not. Pure: each rule has a small
test.

Rules that Shopify's documentation does not state (docs/import.md has all rules):
- A product's own cells (title, body, vendor …) are the first that are filled among its rows.
- `Status` decides; where it is empty `Published` does; where both are empty the product is published, as
  Shopify does. A file that has neither column asks for no status.
- `unlisted` is loaded as a draft: the catalogue has no status for products that are served but not listed.
- A column that the file lacks is left out of the product (its value is kept); an empty cell is null
  (cleared).
"""

from collections.abc import Sequence
from typing import Any

from command_api.importer.shopify_columns import CATEGORY_COLUMNS, TYPE_COLUMNS, Columns, Row
from command_api.importer.shopify_exact import agreed_fields, exact_fields_of
from command_api.importer.shopify_images import images_of
from command_api.importer.shopify_variants import variants_of
from command_api.importer.slugs import category_path, slug_of_handle
from command_api.importer.source import WANTED_STATUSES, Candidate, Lines, Rejection, WantedStatus, lines_text
from shared.contract.text import normal_slug, normal_text

CELL_CHARACTERS_MAX = 4 * 1024 * 1024
UNLISTED = "unlisted"
_PUBLISHED: dict[str, WantedStatus] = {
    "true": "active",
    "yes": "active",
    "1": "active",
    "": "active",
    "false": "draft",
    "no": "draft",
    "0": "draft",
}


def product_of(rows: Sequence[Row], columns: Columns, currency: str) -> Candidate | Rejection:
    """The product that these rows of one handle make; `currency` is the ISO 4217 code of every price."""
    problems = _misshapen(rows, columns)
    handle = columns.handle(rows[0])
    slug = slug_of_handle(handle)
    product: dict[str, Any] = {"slug": slug}
    line_of_field = {"slug": rows[0].line}
    product |= _details(rows, columns, line_of_field)
    lines = tuple(row.line for row in rows)
    if not product["name"]:
        problems.append(f"{Lines(lines)}: {columns.label('Title')} is empty in every row of the product")
    exact = exact_fields_of(rows, columns, line_of_field, problems)
    images, image_lines = images_of(rows, columns, [] if "images" in exact else problems)
    variants, variant_lines = variants_of(rows, columns, currency, [] if "variants" in exact else problems)
    product |= {"images": images} if images is not None else {}
    product |= {"variants": variants} if variants is not None else {}
    product |= agreed_fields(exact, variants or [], variant_lines, columns, problems)
    wanted_status, is_unlisted = _wanted_status(rows, columns, problems)
    if problems:
        return Rejection(rows[0].line, "; ".join(problems), list(rows), lines_text(lines), slug)
    return Candidate(
        lines=Lines(lines, variant_lines, image_lines, line_of_field, columns.labels),
        product=product,
        wanted_status=wanted_status,
        original=list(rows),
        handle=handle if slug != normal_slug(handle) else None,
        is_unlisted=is_unlisted,
    )


def _misshapen(rows: Sequence[Row], columns: Columns) -> list[str]:
    problems = []
    for row in rows:
        if row.is_cut:
            problems.append(f"line {row.line}: the row is too long; only its beginning was kept")
        if any(cell.strip() for cell in row.cells[len(columns.header) :]):
            problems.append(f"line {row.line} has {len(row.cells)} cells under {len(columns.header)} columns")
        for name, cell in zip(columns.header, row.cells, strict=False):
            if len(cell) > CELL_CHARACTERS_MAX:
                size = f"{len(cell):,} characters, more than {CELL_CHARACTERS_MAX:,}"
                problems.append(f"line {row.line}: {name.strip()} has {size}")
        if not _is_utf_8(row):
            problems.append(f"line {row.line} is not UTF-8")
    return problems


def _is_utf_8(row: Row) -> bool:
    try:
        "".join(row.cells).encode()
    except UnicodeEncodeError:  # bytes that the reader kept with surrogateescape
        return False
    return True


def _details(rows: Sequence[Row], columns: Columns, line_of_field: dict[str, int]) -> dict[str, Any]:
    """The fields of the product itself, of the columns that the file has; `line_of_field` is filled."""

    def first(field: str, *names: str) -> str | None:
        for name in names:
            for row in rows:
                if columns.cell(row, name):
                    line_of_field[field] = row.line
                    return columns.raw(row, name)
        return None

    details: dict[str, Any] = {"name": (first("name", "Title") or "").strip()}
    if columns.has("Body (HTML)"):
        details["description"] = first("description", "Body (HTML)")
    for field, names in (("brand", ("Vendor",)), ("product_type", TYPE_COLUMNS)):
        if columns.has(*names):
            details[field] = (first(field, *names) or "").strip() or None
    if columns.has(*CATEGORY_COLUMNS):
        details["category"] = category_path(first("category", *CATEGORY_COLUMNS) or "")
    if columns.has("Tags"):
        tags: dict[str, str] = {}
        for tag in filter(None, map(str.strip, (first("tags", "Tags") or "").split(","))):
            tags.setdefault(normal_text(tag), tag)
        details["tags"] = list(tags.values())
    return details


def _wanted_status(
    rows: Sequence[Row], columns: Columns, problems: list[str]
) -> tuple[WantedStatus | None, bool]:
    """(status in the file, True if it is `unlisted`)."""
    if not columns.has("Status", "Published"):
        return None, False
    line, status = _first_filled(rows, columns, "Status")
    if status.lower() == UNLISTED:
        return "draft", True
    for known in WANTED_STATUSES:
        if status.lower() == known:
            return known, False
    if status:
        wanted = ", ".join([*WANTED_STATUSES, UNLISTED])
        problems.append(f"line {line}: {columns.label('Status')} {status!r} is none of {wanted}")
        return None, False
    line, published = _first_filled(rows, columns, "Published")
    if published.lower() not in _PUBLISHED:
        problems.append(f"line {line}: {columns.label('Published')} {published!r} is neither TRUE nor FALSE")
    return _PUBLISHED.get(published.lower()), False


def _first_filled(rows: Sequence[Row], columns: Columns, column: str) -> tuple[int, str]:
    found = ((row.line, cell) for row in rows if (cell := columns.cell(row, column)))
    return next(found, (rows[0].line, ""))
