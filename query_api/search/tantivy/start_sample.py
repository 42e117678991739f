"""A sample of the products in one order: where they lie, and what a walk along that order costs."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from query_api.search.tantivy.schema import START_DIGITS, STRIDE_DIGITS

_WALKED_COSTS, _STEP_COSTS = 1.5, 12.0
"""A product on the way, and a step to the next term, take as long as to look at so many products. Terms that
a sample has more than once are those of many products, and few steps.
"""


class StartSample:
    """`starts`: the numbers that sort keys begin with, in ascending order, of one product in `each_of`."""

    digits = (*STRIDE_DIGITS, START_DIGITS)
    """Of the terms that a walk may go along: the first digits of the numbers, or all."""

    def __init__(self, starts: Sequence[int], each_of: int) -> None:
        self._each_of = each_of
        self._by_digits = {digits: _Terms(starts, 4 * (START_DIGITS - digits)) for digits in self.digits}

    def costs(self, lowest: int | None, highest: int | None, digits: int) -> float:
        """How many products could be looked at during a walk from one number to the other, both included,
        along terms of so many digits.
        """
        return self._by_digits[digits].costs(lowest, highest) * self._each_of


class _Terms:
    def __init__(self, starts: Sequence[int], shift: int) -> None:
        self._shift = shift
        self._terms = [start >> shift for start in starts]
        times = Counter(self._terms)
        self._steps = [0, *accumulate(times[term] == 1 for term in self._terms)]

    def costs(self, lowest: int | None, highest: int | None) -> float:
        """For each product that the sample stands for."""
        terms = self._terms
        first = 0 if lowest is None else bisect_left(terms, lowest >> self._shift)
        last = len(terms) if highest is None else bisect_right(terms, highest >> self._shift)
        return _WALKED_COSTS * (last - first) + _STEP_COSTS * (self._steps[last] - self._steps[first])
