"""A sample of the products in one order: where they lie, and what a walk along that order costs."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate

from query_api.search.tantivy.schema import START_DIGITS, STRIDE_DIGITS

_WALKED_COSTS, _STEP_COSTS = 0.6, 8.0
"""A product on the way, and a step to the next term, take as long as to look at so many products. Measured as
what makes pages of all orders fastest: half or twice as much makes no great difference.
"""


class StartSample:
    """`starts`: the numbers that sort keys begin with, in ascending order, of one product in `each_of`.
    `products_of(start, digits)`: how many of all products have the term of these digits.
    """

    digits = (*STRIDE_DIGITS, START_DIGITS)
    """Of the terms that a walk may go along: the first digits of the numbers, or all."""

    def __init__(self, starts: Sequence[int], each_of: int, products_of: Callable[[int, int], int]) -> None:
        self._each_of = each_of
        self._by_digits = {digits: _Terms(starts, digits, products_of) for digits in self.digits}

    def costs(self, lowest: int | None, highest: int | None, digits: int) -> float:
        """How many products could be looked at during a walk from one number to the other, both included,
        along terms of so many digits.
        """
        return self._by_digits[digits].costs(lowest, highest) * self._each_of


class _Terms:
    """A term of many products is likely to be in the sample, so each counts the less, the more it has."""

    def __init__(self, starts: Sequence[int], digits: int, products_of: Callable[[int, int], int]) -> None:
        self._shift = 4 * (START_DIGITS - digits)
        self._terms = [start >> self._shift for start in starts]

        @cache
        def products(term: int) -> int:
            return products_of(term << self._shift, digits)

        self._costs = [0.0, *accumulate(_WALKED_COSTS + _STEP_COSTS / products(term) for term in self._terms)]

    def costs(self, lowest: int | None, highest: int | None) -> float:
        """For each product that the sample stands for."""
        terms = self._terms
        first = 0 if lowest is None else bisect_left(terms, lowest >> self._shift)
        last = len(terms) if highest is None else bisect_right(terms, highest >> self._shift)
        return self._costs[last] - self._costs[first]
