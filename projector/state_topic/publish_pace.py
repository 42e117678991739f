"""How long changes are gathered before they are published.

A transaction costs the broker and us about the same with one state or a hundred. So the pause between rounds
doubles while changes do not end. A change after a quiet pause is published at once.
"""

from typing import NamedTuple


class Pauses(NamedTuple):
    """Between two rounds: the first after a quiet one, and the longest while changes do not end."""

    seconds: float
    seconds_max: float


class PublishPace:
    """Ask once after each round."""

    def __init__(self, pauses: Pauses) -> None:
        self._shortest = pauses.seconds
        self._longest = max(pauses.seconds, pauses.seconds_max)
        self._seconds = self._shortest

    def after_round(self, *, quiet_seconds: float) -> float:
        """Seconds until the next one. `quiet_seconds`: from the end of the last round to the first change.

        Changes come in batches, so one that comes after the pause may still be one of many.
        """
        is_after_a_pause = quiet_seconds >= self._longest
        self._seconds = self._shortest if is_after_a_pause else min(self._seconds * 2, self._longest)
        return self._seconds
