"""What spreadsheets and exporters do to a cell, undone: apostrophes, formulas, exponents, capitals.

Spreadsheets write `'0123`, some exporters `="0123"`, so that a number keeps its leading zeros. Only where
nothing but digits follows is the apostrophe surely theirs: the SKU `'A/b #1` keeps its own.
"""

import re
from decimal import ROUND_HALF_UP, Decimal

_digits = re.compile(r"""['\u2018\u2019`]+\s*([0-9]+)|="([0-9]+)\"""", re.ASCII)
_number = re.compile(r"['\u2018\u2019`]+\s*([0-9].*)", re.ASCII | re.DOTALL)
_grams = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_scheme = re.compile(r"https?://", re.IGNORECASE | re.ASCII)
_shortened = re.compile(r"[0-9]\.[0-9]+[eE]\+[0-9]{2}", re.ASCII)
_zeros = re.compile(r"([0-9]+\.[0-9]{2})0+", re.ASCII)
APOSTROPHES = "'\u2018\u2019`"


def without_apostrophe_before_digits(text: str) -> str:
    """`'2564756` is `2564756`; anything but digits after the apostrophe leaves the cell as it is."""
    match = _digits.fullmatch(text)
    return match.group(1) or match.group(2) if match else text


def barcode_text(text: str) -> str:
    """A barcode never begins with an apostrophe, whatever follows."""
    return without_apostrophe_before_digits(text).lstrip(APOSTROPHES).strip()


def number_text(text: str) -> str:
    """`'5.00` is `5.00`: an apostrophe before a number is the spreadsheet's."""
    match = _number.fullmatch(text)
    return match.group(1) if match else text


def amount_text(text: str) -> str:
    """`23.900000` is `23.90`: zeros after the second decimal say nothing, some systems always write them."""
    text = number_text(text)
    match = _zeros.fullmatch(text)
    return match.group(1) if match else text


def is_shortened_number(text: str) -> bool:
    """`6.14141E+11`: a spreadsheet has made a number of a code, and its last digits are lost."""
    return _shortened.fullmatch(text) is not None


def whole_grams(text: str, grams_max: int) -> int | None:
    """Grams with any number of decimals, rounded half up; `1E+3` is 1000. None where it is no weight.

    Raises `OverflowError` where it is more than `grams_max`.
    """
    if not _grams.fullmatch(text):
        return None
    grams = Decimal(text)
    if grams >= grams_max + Decimal("0.5"):
        raise OverflowError
    return int(grams.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def web_address(text: str) -> str:
    """`HTTPS://host/Path` is `https://host/Path`, and `//host/path` is `https://host/path`."""
    if text.startswith("//"):
        return f"https:{text}"
    match = _scheme.match(text)
    return f"{match.group().lower()}{text[match.end() :]}" if match else text
