"""The columns of Shopify's product CSV (RFC 4180), with three more, which only our importer reads. Pure."""

from shared.contract.text import slug_of

OPTIONS_MAX = 3
# Of a product without options: Shopify wants one all the same.
NO_OPTION = ("Title", "Default Title")
END = "\r\n"

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
NO_PRODUCT = "," * 6
NO_VARIANT = "," * (2 * OPTIONS_MAX + len(_VARIANT) - 1)
NO_IMAGE = "," * (len(_IMAGE) - 1)
NO_END = "," * 2


def header() -> bytes:
    """The first line."""
    return f"{cells(COLUMNS)}{END}".encode()


def cells(texts: tuple[str, ...] | list[str]) -> str:
    """Side by side."""
    return ",".join(map(cell, texts))


def cell(text: str) -> str:
    """In quotation marks only if it has to be."""
    return quoted(text) if "," in text or '"' in text or "\n" in text or "\r" in text else text


def quoted(text: str) -> str:
    """In quotation marks."""
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def path_cell(category: str | None) -> str:
    """Shopify's own writing of a path."""
    return "" if category is None else category.replace("/", " > ")


def published_cell(status: str) -> str:
    """Archived products were on sale."""
    return "FALSE" if status == "draft" else "TRUE"


def json_cell(json: bytes) -> str:
    """An object; nothing if it is empty."""
    return "" if json == b"{}" else quoted(json.decode())


def are_plain(texts: list[str]) -> bool:
    """Each has something, and no blanks at its ends, which our importer drops."""
    return all(texts) and list(map(str.strip, texts)) == texts


def is_path(category: str) -> bool:
    """Whether our importer reads the same category from its cell."""
    return all(segment != "" and slug_of(segment) == segment for segment in category.split("/"))
