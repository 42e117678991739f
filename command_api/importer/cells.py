"""Undoes the changes that spreadsheets and exporters make to cells: apostrophes, formulas, exponents,
capitals.

Spreadsheets write `'0123`, some exporters `="0123"`, so that a number keeps its leading zeros. The apostrophe
is removed only if nothing but digits follows: otherwise it may belong to the value, as in the SKU `'A/b #1`.
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
    """`'2564756` becomes `2564756`. A cell with anything but digits after the apostrophe is not changed."""
    match = _digits.fullmatch(text)
    return match.group(1) or match.group(2) if match else text


def barcode_text(text: str) -> str:
    """A barcode never begins with an apostrophe, so it is removed whatever follows."""
    return without_apostrophe_before_digits(text).lstrip(APOSTROPHES).strip()


def number_text(text: str) -> str:
    """`'5.00` becomes `5.00`: the spreadsheet has added an apostrophe before a number."""
    match = _number.fullmatch(text)
    return match.group(1) if match else text


def amount_text(text: str) -> str:
    """`23.900000` becomes `23.90`: some systems always write zeros after the second decimal."""
    text = number_text(text)
    match = _zeros.fullmatch(text)
    return match.group(1) if match else text


def is_shortened_number(text: str) -> bool:
    """`6.14141E+11`: a spreadsheet has turned a code into a number, and its last digits are lost."""
    return _shortened.fullmatch(text) is not None


def whole_grams(text: str, grams_max: int) -> int | None:
    """Grams with any number of decimals, rounded half up; `1E+3` is 1000. None if it is not a weight.

    Raises `OverflowError` if it is more than `grams_max`.
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
