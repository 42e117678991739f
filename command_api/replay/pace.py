"""How fast a replay may go: the readers of its topic share their machines with live work."""


class Pace:
    """At most so many events per second; None: as fast as Kafka confirms. Time comes in as a value.

    Events are sent in portions for a fifth of a second. A late portion is not made up for, so a stall is not
    followed by a burst.
    """

    _TURNS_PER_SECOND = 5

    def __init__(self, events_per_second: float | None = None) -> None:
        self._events_per_second = events_per_second
        self._due = float("-inf")

    def turn_events_max(self, events_max: int) -> int:
        """How many events to send as one, given that more than `events_max` never are."""
        if self._events_per_second is None:
            return events_max
        return max(1, min(events_max, int(self._events_per_second / self._TURNS_PER_SECOND)))

    def wait_seconds(self, now: float, events: int) -> float:
        """How long to wait, at `now`, before sending so many events; they count as sent after it."""
        if self._events_per_second is None or events == 0:
            return 0.0
        start = max(now, self._due)
        self._due = start + events / self._events_per_second
        return start - now
