"""Which column of a Shopify product CSV is which, in both templates that Shopify has handed out.

The older names (`Handle`, `Variant Price`) are the ones that the code uses; the newer template
(`URL handle`, `Price`) is read as its synonyms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from command_api.importer.errors import FileUnreadable

OPTION_NUMBERS = (1, 2, 3)
REQUIRED = ("Handle", "Title", "Variant Price")
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
KNOWN = (
    *("Handle", "Title", "Body (HTML)", "Vendor", "Product Category", "Type", "Tags", "Published", "Status"),
    *(f"Option{n} Name" for n in OPTION_NUMBERS),
    *VARIANT_VALUES,
    *("Image Src", "Image Position", "Image Alt Text", "Variant Image"),
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


@dataclass(frozen=True)
class Row:
    """One record: the line it starts on, from 1, and its cells as they stand in the file."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Columns:
    """The header, resolved once: where each known column is, and what else the file carries."""

    header: tuple[str, ...]
    position: dict[str, int]
    unknown: tuple[str, ...]
    other_variant_positions: tuple[int, ...]

    def has(self, column: str) -> bool:
        return column in self.position

    def raw(self, row: Row, column: str) -> str:
        """The cell as written; empty where the file or the row lacks it."""
        position = self.position.get(column)
        return row.cells[position] if position is not None and position < len(row.cells) else ""

    def cell(self, row: Row, column: str) -> str:
        return self.raw(row, column).strip()


def resolve_columns(header: Sequence[str]) -> Columns:
    """Raises `FileUnreadable` where a column that the import cannot do without is missing or doubled."""
    by_name = {name.casefold(): name for name in KNOWN}
    names = [name.strip().casefold() for name in header]
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
    )


def _explain_missing(header: Sequence[str], missing: list[str]) -> str:
    only = header[0] if len(header) == 1 else ""
    for separator, called in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if separator in only:
            return f"columns are separated by {called}; a Shopify CSV has commas: save it again as such"
    columns = ", ".join(missing)
    return f"no Shopify product CSV: required column{'s' * (len(missing) > 1)} missing: {columns}"
