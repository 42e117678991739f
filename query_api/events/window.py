"""The newest events in memory, so that readers who are close to the end cost no statement."""

from bisect import bisect_right
from collections.abc import Sequence

from query_api.events.feed_event import FeedEvent


class Window:
    """Has all events after `floor` up to `position`: at most `events_max`, and `bytes_max` of JSON."""

    def __init__(self, *, events_max: int, bytes_max: int) -> None:
        self._events_max = events_max
        self._bytes_max = bytes_max
        self.begin(0)

    def begin(self, log_position: int) -> None:
        """Empty, at this place of the log."""
        self.floor = self.position = log_position
        self._events: list[FeedEvent] = []
        self._bytes = 0

    def add(self, events: Sequence[FeedEvent]) -> None:
        """What follows in the log. The oldest ones make room."""
        self._events += events
        self._bytes += sum(len(event.json) for event in events)
        self.position = events[-1].log_position
        dropped = 0
        while len(self._events) - dropped > self._events_max or self._bytes > self._bytes_max:
            self._bytes -= len(self._events[dropped].json)
            dropped += 1
        if dropped:
            self.floor = self._events[dropped - 1].log_position
            del self._events[:dropped]

    def covers(self, log_position: int) -> bool:
        """Whether all events after this position are here, as far as the log was read."""
        return self.floor <= log_position <= self.position

    def after(self, log_position: int) -> Sequence[FeedEvent]:
        """The events after a position that the window covers."""
        return self._events[bisect_right(self._events, log_position, key=lambda one: one.log_position) :]
