"""The use case of a page of events, with a wait for the next one where there is none yet."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from query_api.errors import AnotherLog, EventsArchived, PositionNotReached
from query_api.events.feed_event import FeedEvent, encoded, matches
from query_api.events.ports import EventFilter, EventLog, LogEnd
from query_api.events.tail import Tail
from shared.ops.concurrency.waits import pause

# How long a position beyond the end may take to come: it may have been read from a replica that is ahead.
_REACHED_SECONDS_MAX = 2.0
_LOOK_SECONDS = 0.2


class PageQuery(NamedTuple):
    """What a caller asks for. `log_id`: the log that it has followed, if it says so."""

    after: int
    wanted: EventFilter
    limit: int
    wait_seconds: float
    log_id: UUID | None


class EventPage(NamedTuple):
    """Nothing else that matches is before `log_position`, which is the cursor of the next page."""

    events: Sequence[FeedEvent]
    log_position: int
    waited_seconds: float = 0.0


class EventPages:
    """Raises `Refused` for a place that is not in this log, or `Unavailable`."""

    def __init__(self, log: EventLog, tail: Tail) -> None:
        self._log = log
        self._tail = tail
        self._stopping = asyncio.Event()
        self._waiting: set[_Waiting] = set()

    async def page(self, query: PageQuery) -> EventPage:
        """The next matching events, at once if there are some; an answer may have none."""
        found = await self._log.matching(query.after, query.wanted, query.limit)
        # Read after the events: a removed partition is noted before it disappears.
        end = await self.place_in_log(query.after, query.log_id)
        if found.events or not found.is_last or not query.wait_seconds:
            return EventPage([encoded(event, end.log_id) for event in found.events], found.log_position)
        return await self._wait(query._replace(after=found.log_position))

    async def place_in_log(self, after: int, log_id: UUID | None) -> LogEnd:
        """The log's end. Raises `AnotherLog`, `EventsArchived` or `PositionNotReached`."""
        until = asyncio.get_running_loop().time() + _REACHED_SECONDS_MAX
        while True:
            end = await self._log.end()
            if log_id is not None and log_id != end.log_id:
                raise AnotherLog(f"this is the log {end.log_id}: read it from its beginning")
            if after < end.removed_position:
                raise EventsArchived(
                    f"the events up to position {end.removed_position} are archived and removed: "
                    f"begin with a copy of the catalogue, then after={end.removed_position}"
                )
            if after <= end.newest_position:
                return end
            if asyncio.get_running_loop().time() > until:
                raise PositionNotReached(
                    f"the log ends at position {end.newest_position}: it was restored, or is another one"
                )
            await pause(_LOOK_SECONDS, self._stopping)

    def stop(self) -> None:
        """Whoever waits gets an empty page now: the process stops."""
        self._stopping.set()
        for waiting in self._waiting:
            waiting.woken.set()

    async def _wait(self, query: PageQuery) -> EventPage:
        """What the tail brings. Its window has what came between our reads and its start."""
        waiting = _Waiting(query)
        self._waiting.add(waiting)
        try:
            await self._tail.join(waiting)
            window = self._tail.window
            if not window.covers(query.after):
                return EventPage((), query.after)  # of one server that is behind another
            waiting.log_position = window.position
            waiting.deliver(window.after(query.after))
            began = time.monotonic()
            if not self._stopping.is_set():
                await pause(query.wait_seconds, waiting.woken)
            return EventPage(waiting.found, waiting.log_position, time.monotonic() - began)
        finally:
            self._tail.leave(waiting)
            self._waiting.discard(waiting)


class _Waiting:
    """One caller that waits. Implements `Listener`."""

    def __init__(self, query: PageQuery) -> None:
        self._query = query
        self.woken = asyncio.Event()
        self.found: list[FeedEvent] = []
        self.log_position = query.after

    def deliver(self, events: Sequence[FeedEvent]) -> None:
        """The first matching events end the wait; what comes after them is for the next page."""
        if self.woken.is_set() or not events:
            return
        found = [one for one in events if matches(one.recorded, self._query.wanted)]
        self.found = found[: self._query.limit]
        is_cut = len(found) > len(self.found)
        self.log_position = (self.found if is_cut else events)[-1].log_position
        if found:
            self.woken.set()

    def reset(self) -> None:
        """The next request learns of the other log."""
        self.woken.set()

    async def delivered(self) -> None:
        """Nothing is passed on."""
