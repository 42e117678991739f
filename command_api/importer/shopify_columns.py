"""Finds the columns of a Shopify product CSV by all names that Shopify has used since 2019.

The names of 2019 to 2024 (`Handle`, `Variant Price`) are the ones that the code uses; those of the template
of 2024 (`URL handle`, `Price`) are read as their synonyms. The taxonomy was called `Standard Product Type` or
`Standardized Product Type` in 2021 and 2022, and today's `Type` was `Custom Product Type`. If a file has an
older and a newer name, the cell of the newer one is read first. docs/import.md has the table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from command_api.importer.cells import without_apostrophe_before_digits
from command_api.importer.errors import FileUnreadable
from shared.contract.text import normal_slug

OPTION_NUMBERS = (1, 2, 3)
REQUIRED = ("Handle", "Title")
# A row in which one of these is filled is a variant. The others of a variant (policy, tax, unit)
# are filled by some tools on picture rows too.
VARIANT_VALUES = (
    *(f"Option{n} Value" for n in OPTION_NUMBERS),
    "Variant SKU",
    "Variant Grams",
    "Variant Price",
    "Variant Compare At Price",
    "Variant Barcode",
)
CATEGORY_COLUMNS = ("Product Category", "Standardized Product Type", "Standard Product Type")
TYPE_COLUMNS = ("Type", "Custom Product Type")
ATTRIBUTES, EXACT_FIELDS = "Attributes (JSON)", "Exact Fields (JSON)"
KNOWN = (
    *("Handle", "Title", "Body (HTML)", "Vendor", *CATEGORY_COLUMNS, *TYPE_COLUMNS, "Tags"),
    *("Published", "Status"),
    *(f"Option{n} Name" for n in OPTION_NUMBERS),
    *VARIANT_VALUES,
    *("Image Src", "Image Position", "Image Alt Text", "Variant Image"),
    # Of our own export alone: what Shopify's columns cannot hold.
    *("Variant Currency", ATTRIBUTES, EXACT_FIELDS),
)
_SYNONYMS = {
    "url handle": "Handle",
    "description": "Body (HTML)",
    "published on online store": "Published",
    "sku": "Variant SKU",
    "barcode": "Variant Barcode",
    "price": "Variant Price",
    "compare-at price": "Variant Compare At Price",
    "weight value (grams)": "Variant Grams",
    "product image url": "Image Src",
    "variant image url": "Variant Image",
}
_FIELDS = {
    "slug": "Handle",
    "name": "Title",
    "description": "Body (HTML)",
    "brand": "Vendor",
    "product_type": "Type",
    "category": "Product Category",
    "tags": "Tags",
    "attributes": ATTRIBUTES,
    "images": "Image Src",
    "images/url": "Image Src",
    "images/alt": "Image Alt Text",
    "variants": "variants",
    "variants/sku": "Variant SKU",
    "variants/price": "Variant Price",
    "variants/compare_at_price": "Variant Compare At Price",
    "variants/barcode": "Variant Barcode",
    "variants/weight_grams": "Variant Grams",
    "variants/options": "Option",
}


@dataclass(frozen=True)
class Row:
    """One record: the line it starts on, from 1, and its unchanged cells.

    `is_cut` if the record was too long to be kept whole.
    """

    line: int
    cells: list[str]
    is_cut: bool = False


@dataclass(frozen=True)
class Columns:
    """The header: the place of each known column, and the names of the others."""

    header: tuple[str, ...]
    position: dict[str, int]
    unknown: tuple[str, ...]
    other_variant_positions: tuple[int, ...]
    labels: Mapping[str, str]

    def has(self, *columns: str) -> bool:
        """Whether the file has one of these columns."""
        return any(column in self.position for column in columns)

    def raw(self, row: Row, column: str) -> str:
        """The unchanged cell; empty if the file or the row lacks it."""
        position = self.position.get(column)
        return row.cells[position] if position is not None and position < len(row.cells) else ""

    def cell(self, row: Row, column: str) -> str:
        return self.raw(row, column).strip()

    def handle(self, row: Row) -> str:
        return without_apostrophe_before_digits(self.cell(row, "Handle"))

    def label(self, column: str) -> str:
        """The file's own name of this column, for rejections."""
        position = self.position.get(column)
        return column if position is None else self.header[position].strip()


def resolve_columns(header: Sequence[str]) -> Columns:
    """Raises `FileUnreadable` if a required column is missing or occurs twice."""
    by_name = {name.casefold(): name for name in KNOWN}
    names = [_plain(name).casefold() for name in header]
    position: dict[str, int] = {}
    for index, name in enumerate(names):
        known = by_name.get(name)
        if known is None and (synonym := _SYNONYMS.get(name)) and synonym.casefold() not in names:
            known = synonym
        if known is not None and known in position:
            raise FileUnreadable(f"column {known!r} stands in the header twice")
        if known is not None:
            position[known] = index
    missing = [column for column in REQUIRED if column not in position]
    if missing:
        raise FileUnreadable(_explain_missing(header, missing))
    used = set(position.values())
    others = [index for index in range(len(header)) if index not in used and names[index]]
    return Columns(
        header=tuple(header),
        position=position,
        unknown=tuple(header[index].strip() for index in others),
        other_variant_positions=tuple(index for index in others if names[index].startswith("variant ")),
        labels=_labels(header, position),
    )


def _plain(name: str) -> str:
    """Without the invisible characters and doubled blanks that come from web pages and from copying."""
    return " ".join(normal_slug(name).split())


def _labels(header: Sequence[str], position: Mapping[str, int]) -> dict[str, str]:
    """The API's name of a field -> the name of its column in this file."""
    columns = dict(_FIELDS)
    for field, names in (("category", CATEGORY_COLUMNS), ("product_type", TYPE_COLUMNS)):
        columns[field] = next((name for name in names if name in position), names[0])
    return {
        field: header[position[column]].strip() if column in position else column
        for field, column in columns.items()
    }


def _explain_missing(header: Sequence[str], missing: list[str]) -> str:
    for separator, called in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if separator in header[0]:
            return f"columns are separated by {called}; a Shopify CSV has commas: save it again with commas"
    columns = ", ".join(missing)
    return f"no Shopify product CSV: required column{'s' * (len(missing) > 1)} missing: {columns}"
