"""A sample of the products in one order: where they lie, and what a walk along that order costs."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

_STEP_COSTS = 12
"""A step to the next number takes as long as to look at so many products. Numbers that a sample has more than
once are those of many products, and few steps.
"""


class StartSample:
    """`starts`: the numbers that sort keys begin with, in ascending order."""

    def __init__(self, starts: Sequence[int]) -> None:
        self._starts = starts
        times = Counter(starts)
        self._steps = [0, *accumulate(times[start] == 1 for start in starts)]

    def costs(self, lowest: int | None, highest: int | None) -> int:
        """How many products could be looked at during a walk from one to the other, both included, for each
        product that a sample of all has 1 of.
        """
        first = 0 if lowest is None else bisect_left(self._starts, lowest)
        last = len(self._starts) if highest is None else bisect_right(self._starts, highest)
        return last - first + _STEP_COSTS * (self._steps[last] - self._steps[first])
