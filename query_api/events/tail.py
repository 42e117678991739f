"""The one reader of what is new in the log, for everybody in this process who waits for it.

It runs while somebody waits, and a moment longer: without listeners it runs no statement and wakes nobody. It
asks the log every `poll_seconds` (docs/decisions/0050-the-event-feed.md says why it is not woken). While the
log cannot be read it tries again, and goes on without a gap.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from query_api.errors import EventLogUnavailable, Unavailable
from query_api.events.feed_event import FeedEvent, encoded
from query_api.events.ports import EventLog, LogEnd
from query_api.events.window import Window
from shared.ops.concurrency.waits import cancelled, until_turn
from shared.ops.logs import get_logger

# So many of the newest events are read at a start: most who come back after a restart need no others.
_EVENTS_BEFORE_END = 500
_RETRY_SECONDS_MAX = 2.0
_log = get_logger(__name__)


class TailTimes(NamedTuple):
    """`linger_seconds`: how long it runs on without listeners. `start_seconds_max`: how long a new listener
    waits for a log that does not answer. `behind_seconds_max`: how long the log may end before what was read,
    as a replica does after another one.
    """

    poll_seconds: float
    linger_seconds: float = 1.0
    start_seconds_max: float = 2.0
    behind_seconds_max: float = 30.0


class Listener(Protocol):
    """Who waits for events. None of the first three may wait or raise."""

    def deliver(self, events: Sequence[FeedEvent]) -> None:
        """The next events. `position` has just moved to the last of them."""
        ...

    def reset(self) -> None:
        """The positions until now mean nothing: it is another log, or one that went back."""
        ...

    async def delivered(self) -> None:
        """Until the listener has passed on what it got: the next events are not read before."""
        ...


class Tail:
    """`window` is what it has read of late, `log_id` the log that it reads. `is_doubtful`: since the last
    answer there was an outage, after which it may be another log.
    """

    def __init__(self, log: EventLog, window: Window, times: TailTimes) -> None:
        self.window = window
        self.log_id: UUID | None = None
        self._log = log
        self._times = times
        self._listeners: dict[Listener, None] = {}
        self._running: asyncio.Task[None] | None = None
        self._has_begun = asyncio.Event()
        self.is_doubtful = False
        self._behind_since: float | None = None
        self._unwanted_since = 0.0

    @property
    def has_begun(self) -> bool:
        """Whether the window is at the log's end, as far as that is known."""
        return self._has_begun.is_set()

    @property
    def is_running(self) -> bool:
        """Whether it asks the log."""
        return self._running is not None

    def listen(self, listener: Listener) -> None:
        """From now on, until it leaves."""
        self._listeners[listener] = None
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="event-tail")

    async def join(self, listener: Listener) -> None:
        """Listen, and wait until the window is at the end. Raises `EventLogUnavailable` if that takes too
        long; it listens nevertheless.
        """
        self.listen(listener)
        if self.has_begun:
            return
        try:
            async with asyncio.timeout(self._times.start_seconds_max):
                await self._has_begun.wait()
        except TimeoutError as error:
            raise EventLogUnavailable("the end of the event log cannot be read") from error

    def leave(self, listener: Listener) -> None:
        """Listen no longer; who does not listen may leave, too."""
        self._listeners.pop(listener, None)

    async def close(self) -> None:
        """Stop, whoever listens."""
        if self._running is not None:
            await cancelled(self._running)

    async def _run(self) -> None:
        try:
            while self._is_wanted():
                await self._turn()
        except Exception:
            _log.exception("event tail failed")
        finally:
            self._running = None
            self._has_begun.clear()
            self.is_doubtful, self._behind_since = False, None
            for listener in tuple(self._listeners):
                listener.reset()

    def _is_wanted(self) -> bool:
        now = time.monotonic()
        if self._listeners:
            self._unwanted_since = now
        return now - self._unwanted_since < self._times.linger_seconds or bool(self._listeners)

    async def _turn(self) -> None:
        """One look at the log, and the pause after it."""
        try:
            if not self.has_begun:
                await self._begin(await self._log.end())
            elif self.is_doubtful:
                self._confirm(await self._log.end())
            found = await self._log.next_events(self.window.position) if self.has_begun else ()
        except Unavailable as error:
            await self._rest(error)
            return
        if found:
            await self._pass_on([encoded(event, self._known_id()) for event in found])
        else:
            await asyncio.sleep(until_turn(self._times.poll_seconds))

    async def _begin(self, end: LogEnd) -> None:
        """A little before the end of the log, then at it."""
        self.log_id = end.log_id
        self.window.begin(max(0, end.newest_position - _EVENTS_BEFORE_END, end.removed_position))
        while self.window.position < end.newest_position:
            found = await self._log.next_events(self.window.position)
            if not found:
                break  # a replica that is behind the one that told the end
            self.window.add([encoded(event, end.log_id) for event in found])
        self._has_begun.set()

    async def _rest(self, error: Unavailable) -> None:
        """Until the log may answer again. The next answer may be of another log."""
        if not self.is_doubtful:
            _log.warning("event log cannot be followed", error=str(error))
        self.is_doubtful = True
        await asyncio.sleep(min(_RETRY_SECONDS_MAX, 5 * self._times.poll_seconds))

    def _confirm(self, end: LogEnd) -> None:
        """After an outage: whether it is the same log, at the same place or after it."""
        now = time.monotonic()
        is_behind = end.newest_position < self.window.position
        if not is_behind and end.log_id == self.log_id:
            self.is_doubtful, self._behind_since = False, None
            _log.info("event log is followed again", log_position=self.window.position)
            return
        if self._behind_since is None:
            self._behind_since = now
        if end.log_id != self.log_id or now - self._behind_since > self._times.behind_seconds_max:
            _log.error("event log went back or is another one", log_position=self.window.position)
            self.is_doubtful, self._behind_since = False, None
            self._has_begun.clear()
            for listener in tuple(self._listeners):
                listener.reset()

    async def _pass_on(self, events: Sequence[FeedEvent]) -> None:
        """To all at once: who joins later finds them in the window."""
        self.window.add(events)
        listeners = tuple(self._listeners)
        for listener in listeners:
            listener.deliver(events)
        for listener in listeners:
            await listener.delivered()

    def _known_id(self) -> UUID:
        assert self.log_id is not None, "known since the beginning"
        return self.log_id
