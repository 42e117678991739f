"""One stream: on its way to the end of the log, or live (`streams.py`).

It gets every matching event after its position once and in order: what is sent and the position move in the
same step, and the step that finds nothing more in the window makes it live.
"""

import asyncio
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from query_api.errors import Unavailable
from query_api.events.feed_event import FeedEvent, encoded, matches
from query_api.events.http import sse
from query_api.events.ports import EventFilter
from shared.ops.http.asgi import Scope
from shared.ops.http.open_answer import OpenAnswer, chunk
from shared.ops.logs import get_logger
from shared.ops.metrics.event_feed import EVENT_STREAMS_ENDED, EVENTS_SENT

if TYPE_CHECKING:
    from query_api.events.http.streams import EventStreams

# Sent without asking whether the client reads.
_PIECE_BYTES_MAX = 256 * 1024
_HISTORY_EVENTS_MAX = 200
_RETRY_SECONDS = 0.5
_log = get_logger(__name__)
_sent = EVENTS_SENT.labels("stream")


class Stream:
    """`log_position`: all that matches up to there is written. `ends_at` is a time of the monotonic clock."""

    def __init__(
        self, streams: "EventStreams", scope: Scope, wanted: EventFilter, log_position: int, ends_at: float
    ) -> None:
        self.wanted = wanted
        self.log_position = log_position
        self.ends_at = ends_at
        self._streams = streams
        self._way: asyncio.Task[None] | None = None
        self._reason = "left"
        self.answer = OpenAnswer(scope, self._lost)

    @property
    def is_behind(self) -> bool:
        """Whether it is on its way to the end of the log."""
        return self._way is not None

    def begin(self) -> None:
        """Go on from its position; it becomes live at once if it is at the end."""
        if self.answer.is_over:
            self._forget()
            return
        tail = self._streams.tail
        tail.listen(self._streams)
        if not (tail.has_begun and not self.answer.waiting_bytes and self._goes_live()):
            self._way = asyncio.create_task(self._catch_up(), name="event-stream")

    def sign_of_life(self) -> None:
        """While the log cannot be read. A client that does not read needs none."""
        if not self.answer.waiting_bytes:
            self.answer.write(chunk(sse.COMMENT))

    def end(self, reason: str) -> None:
        """After a whole event. The client comes back to go on from it."""
        if not self.answer.is_over:
            self._reason = reason
            self.answer.end()
            self._forget()

    def _lost(self) -> None:
        if self.is_behind and self.answer.waiting_bytes:
            self._reason = "slow"
        self._forget()

    def _forget(self) -> None:
        if self._way is not None:
            self._way.cancel()
            self._way = None
        if self._reason:
            EVENT_STREAMS_ENDED.labels(self._reason).inc()
            self._reason = ""
        self._streams.forget(self)

    async def _catch_up(self) -> None:
        """From the log, then from the window of the tail."""
        tail = self._streams.tail
        while True:
            try:
                await self.answer.drained()
                await tail.join(self._streams)
                if self._goes_live():
                    self._way = None
                    return
                if not tail.window.covers(self.log_position):
                    await self._read_on()
            except Unavailable:
                await asyncio.sleep(_RETRY_SECONDS * (1 + random.random()))  # noqa: S311
            except Exception:
                _log.exception("event stream failed")
                self._way = None
                self.end("log")
                return

    async def _read_on(self) -> None:
        tail = self._streams.tail
        if self.log_position > tail.window.position:
            # Of a server that is behind the one that the client has read from.
            await asyncio.sleep(_RETRY_SECONDS)
            return
        log_id = tail.log_id
        assert log_id is not None, "the tail has begun"
        found = await self._streams.log.matching(self.log_position, self.wanted, _HISTORY_EVENTS_MAX)
        self._write([encoded(event, log_id) for event in found.events], found.log_position)

    def _goes_live(self) -> bool:
        """Write what the window has; False: there is more than a client should get without reading."""
        window = self._streams.tail.window
        if not window.covers(self.log_position):
            return False
        found: list[FeedEvent] = []
        size_bytes, position = 0, window.position
        for event in window.after(self.log_position):
            if matches(event.recorded, self.wanted):
                if size_bytes > _PIECE_BYTES_MAX:
                    position = found[-1].log_position
                    break
                found.append(event)
                size_bytes += len(event.json)
        self._write(found, position)
        if position < window.position:
            return False
        self._streams.go_live(self)
        return True

    def _write(self, events: Sequence[FeedEvent], log_position: int) -> None:
        if events:
            self.answer.write(chunk(sse.blocks(events)))
            _sent.inc(len(events))
        if log_position > (events[-1].log_position if events else self.log_position):
            self.answer.write(chunk(sse.place(log_position)))
        self.log_position = log_position
