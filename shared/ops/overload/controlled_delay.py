"""Tells a queue that stands from a burst that passes.

A burst makes a queue long for a moment, and then it is empty: no request should be refused for it. A queue
that is never empty only adds its length to every request's time. The length does not tell one from the other,
but the smallest delay of an interval does (CoDel: Nichols and Jacobson, "Controlling Queue Delay", ACM Queue
10(5), 2012).
"""


class StandingDelay:
    """Whether every delay noted in the last `interval_seconds`, or longer, was above `target_seconds`.

    One small delay ends it at once: the queue was empty at that moment.
    """

    __slots__ = ("_above_since", "_interval_seconds", "_target_seconds", "is_standing")

    def __init__(self, target_seconds: float, interval_seconds: float) -> None:
        self._target_seconds = target_seconds
        self._interval_seconds = interval_seconds
        self._above_since: float | None = None
        self.is_standing = False

    @property
    def is_above_target(self) -> bool:
        """Whether the last delay was."""
        return self._above_since is not None

    def note(self, delay_seconds: float, now_seconds: float) -> None:
        """A delay that ended now; it began so many seconds ago, so the delay itself is no interval yet."""
        if delay_seconds <= self._target_seconds:
            self._above_since = None
            self.is_standing = False
        elif self._above_since is None:
            self._above_since = now_seconds
        else:
            self.is_standing = now_seconds - self._above_since >= self._interval_seconds
