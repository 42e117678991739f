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
        seconds, growth = self._growth(name)
        return growth if seconds else None

    def per_second(self, name: Hashable) -> float | None:
        """The same by second."""
        seconds, growth = self._growth(name)
        return round(growth / seconds, 2) if seconds else None

    def _growth(self, name: Hashable) -> tuple[float, int]:
        """Seconds and growth; 0 seconds: unknown."""
        known = [(at, sums[name]) for at, sums in self._looks if name in sums]
        if len(known) < 2:
            return 0.0, 0
        (began, first), (ended, last) = known[0], known[-1]
        seconds = ended - began
        return (seconds, last - first) if seconds >= _ELAPSED_SECONDS_MIN and last >= first else (0.0, 0)
