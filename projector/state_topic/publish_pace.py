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

    def after_round(self, *, was_awaited: bool) -> float:
        """Seconds until the next one. `was_awaited`: its changes came during the pause before it."""
        self._seconds = min(self._seconds * 2, self._longest) if was_awaited else self._shortest
        return self._seconds
