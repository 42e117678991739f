"""The event log in memory, for tests of the feed; it passes the same suite as PostgreSQL's."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from query_api.errors import Unavailable
from query_api.events.feed_event import matches
from query_api.events.ports import EventFilter, LogEnd, Stretch
from shared.contract.recorded_event import RecordedEvent


class InMemoryEventLog:
    """Implements `ports.EventLog`; `failure`, where set, is raised by everything. `reads` counts.

    `barrier`: the answer to each read of history waits for a permit, and `waiting` tells how many do.
    """

    def __init__(self, *, next_events_max: int = 500, looked_events_max: int = 5000) -> None:
        self.log_id = UUID(int=1)
        self.removed_position = 0
        self.failure: Unavailable | None = None
        self.reads = 0
        self.barrier: asyncio.Semaphore | None = None
        self.waiting = 0
        self._next_events_max = next_events_max
        self._looked_events_max = looked_events_max
        self._events: list[RecordedEvent] = []

    async def append(self, events: Sequence[RecordedEvent]) -> None:
        """At the end."""
        self._events.extend(events)

    def restore(self, *, log_id: UUID | None = None, upto: int = 0) -> None:
        """The log of a backup: without what came after `upto`, or with another id."""
        self._events = [each for each in self._events if each.log_position <= upto]
        self.log_id = log_id or self.log_id

    async def end(self) -> LogEnd:
        self._note()
        newest = self._events[-1].log_position if self._events else 0
        return LogEnd(self.log_id, newest, self.removed_position)

    async def next_events(self, after: int) -> Sequence[RecordedEvent]:
        self._note()
        return self._after(after)[: self._next_events_max]

    async def matching(self, after: int, wanted: EventFilter, events_max: int) -> Stretch:
        self._note()
        found = self._matching(after, wanted, events_max)
        if self.barrier is not None:
            self.waiting += 1
            await self.barrier.acquire()
            self.waiting -= 1
        return found

    def _matching(self, after: int, wanted: EventFilter, events_max: int) -> Stretch:
        all_after = self._after(after)
        looked = all_after if wanted.product_id is not None else all_after[: self._looked_events_max]
        found = [each for each in looked if matches(each, wanted)]
        if len(found) >= events_max:
            found = found[:events_max]
            return Stretch(found, found[-1].log_position, False)
        place = looked[-1].log_position if looked else after
        return Stretch(found, place, len(looked) == len(all_after))

    def _after(self, log_position: int) -> list[RecordedEvent]:
        return [each for each in self._events if each.log_position > log_position]

    def _note(self) -> None:
        self.reads += 1
        if self.failure is not None:
            raise self.failure
