"""When each request is due. The schedule is made without a look at the answers: an open model.

In a closed model the next request waits for the answer before. A slow system then gets fewer requests, and
its slowest moments are measured least (coordinated omission: Gil Tene, "How NOT to Measure Latency", 2015).
Here a request is due at its time, whatever happened before, and its latency counts from that time.
"""

import heapq
from collections.abc import Iterator, Mapping
from itertools import accumulate
from random import Random
from typing import NamedTuple


class Arrival(NamedTuple):
    """A request of this kind is due so many seconds after the start."""

    at_seconds: float
    kind: str


def arrivals(rates: Mapping[str, float], seconds: float, random: Random) -> Iterator[Arrival]:
    """All arrivals in order: independent Poisson processes, as many small sources make them."""
    each = (
        _poisson(kind, rate, seconds, Random(random.random())) for kind, rate in rates.items() if rate > 0
    )
    return heapq.merge(*each)


def _poisson(kind: str, rate: float, seconds: float, random: Random) -> Iterator[Arrival]:
    at = random.expovariate(rate)
    while at < seconds:
        yield Arrival(at, kind)
        at += random.expovariate(rate)


class Zipf:
    """Ranks 0, 1, 2 ... of which rank k has the weight 1 / (k + 1): a few products get most of the reads."""

    def __init__(self, ranks_max: int, random: Random) -> None:
        self._random = random
        self._weights = list(accumulate(1 / (rank + 1) for rank in range(ranks_max)))

    def rank(self, count: int) -> int:
        """A rank below `count`, which may grow up to `ranks_max`."""
        known = min(count, len(self._weights))
        drawn = self._random.random() * self._weights[known - 1]
        low, high = 0, known - 1
        while low < high:
            middle = (low + high) // 2
            if self._weights[middle] < drawn:
                low = middle + 1
            else:
                high = middle
        return low
