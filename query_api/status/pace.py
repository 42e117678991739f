"""How fast sums grow: counted over the last seconds, because one second alone is noise."""

from collections import deque
from collections.abc import Hashable, Mapping

# Two looks in the same moment give no speed.
_ELAPSED_SECONDS_MIN = 0.2


class Pace:
    """Sums of the last `window_seconds`, and of the look before. Bounded: looks are at least
    `_ELAPSED_SECONDS_MIN` apart.
    """

    def __init__(self, window_seconds: float) -> None:
        self._window_seconds = window_seconds
        self._looks: deque[tuple[float, Mapping[Hashable, int]]] = deque()

    def look(self, at: float, sums: Mapping[Hashable, int]) -> None:
        """The sums as they are at `at` (seconds of any clock)."""
        if len(self._looks) > 1 and at - self._looks[-2][0] < _ELAPSED_SECONDS_MIN:
            self._looks.pop()
        self._looks.append((at, sums))
        while len(self._looks) > 2 and self._looks[1][0] <= at - self._window_seconds:
            self._looks.popleft()

    def grown(self, name: Hashable) -> int | None:
        """By how much in the window; None: that is not known, or the sum has fallen, as with another log."""
        growth = self._growth(name)
        return None if growth is None else growth[1]

    def per_second(self, name: Hashable) -> float | None:
        """The same by second."""
        growth = self._growth(name)
        if growth is None or growth[0] < _ELAPSED_SECONDS_MIN:
            return None
        return round(growth[1] / growth[0], 2)

    def _growth(self, name: Hashable) -> tuple[float, int] | None:
        """In how many seconds, and by how much."""
        known = [(at, sums[name]) for at, sums in self._looks if name in sums]
        if len(known) < 2:
            return None
        (began, first), (ended, last) = known[0], known[-1]
        return (ended - began, last - first) if last >= first else None
