"""The images among a product's rows: `Image Position` orders them, and one address is one image.

A variant's own image is added to the images of the product.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from command_api.importer.cells import number_text, web_address
from command_api.importer.shopify_columns import Columns, Row

_position = re.compile(r"([0-9]{1,6})(?:\.0+)?", re.ASCII)
_LAST = Decimal("Infinity")


def images_of(
    rows: Sequence[Row], columns: Columns, problems: list[str]
) -> tuple[list[dict[str, Any]] | None, tuple[int, ...]]:
    """(images, line of each); no images if the file has no column for them."""
    if not columns.has("Image Src"):
        return None, ()
    placed: list[tuple[Decimal, Row, str, str]] = []
    for row in rows:
        url = web_address(columns.cell(row, "Image Src"))
        position = number_text(columns.cell(row, "Image Position"))
        if url and position and not _position.fullmatch(position):
            label = columns.label("Image Position")
            problems.append(f"line {row.line}: {label} {position!r} is not a whole number")
        elif url:
            place = Decimal(position) if position else _LAST
            placed.append((place, row, url, columns.cell(row, "Image Alt Text")))
    placed.sort(key=lambda image: image[0])
    images: dict[str, dict[str, Any]] = {}
    lines: dict[str, int] = {}
    for _, row, url, alt in placed:
        image = images.setdefault(url, {"url": url})
        lines.setdefault(url, row.line)
        if columns.has("Image Alt Text"):
            image["alt"] = image.get("alt") or alt or None
    for row in rows:
        if url := web_address(columns.cell(row, "Variant Image")):
            images.setdefault(url, {"url": url, "alt": None})
            lines.setdefault(url, row.line)
    return list(images.values()), tuple(lines.values())
