"""What the feed needs: the event log, a bounded stretch at a time.

All reads raise `Unavailable` (errors.py). The log may be a replica, or several: each answer is of one server.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from shared.contract.recorded_event import RecordedEvent


class EventFilter(NamedTuple):
    """Which events a reader wants. `since` is inside, `until` is not; None: any."""

    types: frozenset[str] | None = None
    product_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERYTHING = EventFilter()


class LogEnd(NamedTuple):
    """The log's id, its newest position (0: empty), and the last position that is archived and removed."""

    log_id: UUID
    newest_position: int
    removed_position: int = 0


class Stretch(NamedTuple):
    """Events in order. All others between the place that was asked for and `log_position` do not match.
    `is_last`: there was nothing after it.
    """

    events: Sequence[RecordedEvent]
    log_position: int
    is_last: bool


class EventLog(Protocol):
    """The whole log. Position order is commit order, so no event appears before those that were read."""

    async def end(self) -> LogEnd: ...

    async def next_events(self, after: int) -> Sequence[RecordedEvent]:
        """What follows, whatever it is, in order: at least one event, where there is one."""
        ...

    async def matching(self, after: int, wanted: EventFilter, events_max: int) -> Stretch:
        """The matching events of the next stretch, which has a bounded number of events."""
        ...
