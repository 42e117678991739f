"""The ranges in which prices are counted: 1-2-5 steps, the same for every catalogue and currency.

Fixed ranges can be counted exactly, and do not move while somebody chooses filters.
"""

from bisect import bisect_right
from typing import NamedTuple

SCALE = 10_000
"""Amounts are whole ten thousandths: no currency has more decimals."""
_DECADES = range(12)
_BOUNDS = [0, *(step * 10**decade * SCALE for decade in _DECADES for step in (1, 2, 5))]


class PriceRange(NamedTuple):
    """From `lowest` to `below`, in ten thousandths; the last range has no end."""

    lowest: int
    below: int | None


def range_of(ten_thousandths: int) -> int:
    """The number of the range with this amount."""
    return bisect_right(_BOUNDS, ten_thousandths) - 1


def price_range(number: int) -> PriceRange:
    """The range of a number that `range_of` gave."""
    return PriceRange(_BOUNDS[number], _BOUNDS[number + 1] if number + 1 < len(_BOUNDS) else None)
