"""How long changes are gathered where a round costs about the same with one change or a thousand.

The interval doubles while changes do not end. A change after a quiet pause is taken at once.
"""

from typing import NamedTuple


class Pauses(NamedTuple):
    """Between two rounds: the first after a quiet one, and the longest while changes do not end."""

    seconds: float
    seconds_max: float


class BurstPace:
    """`seconds` is the present interval. Ask `after_round` once after each round."""

    def __init__(self, pauses: Pauses) -> None:
        self._shortest = self.seconds = pauses.seconds
        self._longest = max(pauses)

    def after_round(self, *, quiet_seconds: float) -> float:
        """Seconds until the next one. `quiet_seconds`: from the end of the last round to the first change.

        Changes come in batches, so one that comes after the interval may still be one of many.
        """
        is_after_a_pause = quiet_seconds >= self._longest
        self.seconds = self._shortest if is_after_a_pause else min(self.seconds * 2, self._longest)
        return self.seconds
