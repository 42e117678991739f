"""Whether a measure of a long run grows: the verdict of a soak.

The line through the samples (Theil-Sen: the median of all slopes between two samples) is not moved by a few
peaks, as the usual least squares are. The first fifth is left out: caches and compilers are still warming up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import median

WARM_UP_SHARE = 0.2
SAMPLES_MIN = 8
_POINTS_MAX = 200

Point = tuple[float, float]


@dataclass(frozen=True)
class Trend:
    """`growth` is what the line rises by from its begin to its end, in the unit of the measure.

    `is_flat` None: too few samples to say.
    """

    measure: str
    begin: float
    end: float
    greatest: float
    growth_max: float
    is_flat: bool | None

    @property
    def growth(self) -> float:
        """Negative: it falls."""
        return self.end - self.begin

    @property
    def verdict(self) -> str:
        """In a word."""
        return {None: "too few samples", True: "flat", False: "GROWS"}[self.is_flat]


def trend_of(measure: str, points: Sequence[Point], *, share_max: float, growth_min: float) -> Trend:
    """The trend of (seconds, value) points in order.

    It is flat if it grows by less than `share_max` of its value at the begin, or by less than `growth_min`,
    below which nothing matters.
    """
    if not points:
        return Trend(measure, 0.0, 0.0, 0.0, growth_min, None)
    first_seconds, last_seconds = points[0][0], points[-1][0]
    warm = first_seconds + (last_seconds - first_seconds) * WARM_UP_SHARE
    kept = [point for point in points if point[0] >= warm]
    greatest = max(value for _, value in points)
    if len(kept) < SAMPLES_MIN:
        return Trend(measure, kept[0][1], kept[-1][1], greatest, growth_min, None)
    slope = _slope(kept)
    middle_seconds, middle = median(at for at, _ in kept), median(value for _, value in kept)
    begin = middle + slope * (kept[0][0] - middle_seconds)
    end = middle + slope * (kept[-1][0] - middle_seconds)
    growth_max = max(growth_min, share_max * abs(begin))
    return Trend(measure, begin, end, greatest, growth_max, end - begin <= growth_max)


def increments(points: Sequence[Point]) -> list[Point]:
    """For a total that always grows (the size of a log): its growth per second between two samples."""
    return [
        (later[0], (later[1] - earlier[1]) / (later[0] - earlier[0]))
        for earlier, later in pairwise(points)
        if later[0] > earlier[0]
    ]


def _slope(points: Sequence[Point]) -> float:
    """At most so many points that their pairs can be counted in a moment."""
    step = max(1, len(points) // _POINTS_MAX)
    some = points[::step]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(some, 2) if b[0] > a[0]]
    return median(slopes) if slopes else 0.0
