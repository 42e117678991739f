"""Limits the speed of a replay, because the readers of its topic share their machines with live work."""


class Pace:
    """At most `events_per_second`; None: as fast as Kafka confirms. The caller passes the time.

    Events are sent in portions for a fifth of a second. Lost time is not caught up, so no burst follows a
    stall.
    """

    _TURNS_PER_SECOND = 5

    def __init__(self, events_per_second: float | None = None) -> None:
        self._events_per_second = events_per_second
        self._due = float("-inf")

    def turn_events_max(self, events_max: int) -> int:
        """How many events to send at once; at most `events_max`."""
        if self._events_per_second is None:
            return events_max
        return max(1, min(events_max, int(self._events_per_second / self._TURNS_PER_SECOND)))

    def wait_seconds(self, now: float, events: int) -> float:
        """How long to wait, at `now`, before sending `events` events; they count as sent after the wait."""
        if self._events_per_second is None or events == 0:
            return 0.0
        start = max(now, self._due)
        self._due = start + events / self._events_per_second
        return start - now
