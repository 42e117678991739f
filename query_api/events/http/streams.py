"""All open streams of a process: each event is made into bytes once, and the same bytes go to every client.

A stream begins behind (`stream.py`): it reads its way to the window of the tail. From there it is live: in a
group with all who have the same filter, and without a task of its own. A live client that does not read falls
behind again, so it holds a bounded number of bytes; the port cuts it off if it takes none for too long.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from time import monotonic
from typing import NamedTuple
from uuid import UUID

from query_api.errors import Overloaded
from query_api.events.feed_event import FeedEvent, matches
from query_api.events.http import sse
from query_api.events.http.stream import Stream
from query_api.events.pages import EventPages
from query_api.events.ports import EventFilter, EventLog
from query_api.events.tail import Tail
from shared.ops.concurrency.waits import cancelled
from shared.ops.http.asgi import Scope
from shared.ops.http.open_answer import chunk
from shared.ops.metrics.event_feed import EVENT_STREAMS, EVENTS_SENT
from shared.ops.metrics.requests import EVENT_STREAMS as TOO_MANY_STREAMS

# Between two looks at other work of the process while events are sent to many clients.
_WORK_SECONDS_MAX = 0.005
_AGE_SPREAD = 0.2
_sent = EVENTS_SENT.labels("stream")


class StreamLimits(NamedTuple):
    """`waiting_bytes_max`: of one client, beyond which it falls behind. A stream ends after `seconds_max`, or
    somewhat less, so that its caller is checked again.
    """

    clients_max: int
    waiting_bytes_max: int
    heartbeat_seconds: float
    seconds_max: float


class _Newcomer:
    """Makes the tail run until the stream is there. Implements `Listener`."""

    def deliver(self, events: Sequence[FeedEvent]) -> None: ...

    def reset(self) -> None: ...

    async def delivered(self) -> None: ...


class EventStreams:
    """Implements `Listener`: the tail delivers to all live streams at once."""

    def __init__(self, tail: Tail, log: EventLog, limits: StreamLimits) -> None:
        self.tail = tail
        self.log = log
        self._limits = limits
        self._streams: set[Stream] = set()
        self._live: dict[EventFilter, dict[Stream, None]] = defaultdict(dict)
        self._due: list[tuple[bytes, int, int, list[Stream]]] = []
        self._beating: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self.is_stopping = False
        EVENT_STREAMS.set_function(lambda: len(self._streams))

    def require_room(self) -> None:
        """Raises `Overloaded`."""
        if len(self._streams) >= self._limits.clients_max:
            text = f"{len(self._streams)} clients follow the events, and that is the limit"
            raise Overloaded(TOO_MANY_STREAMS, text)

    async def start(self, pages: EventPages, after: int | None, log_id: UUID | None) -> int:
        """The place of a new stream; None: the present end of the log. Raises `Refused` or `Unavailable`."""
        self.require_room()
        newcomer = _Newcomer()
        try:
            await self.tail.join(newcomer)
            is_known = after is None or self.tail.window.covers(after)
            place = self.tail.window.position if after is None else after
        finally:
            self.tail.leave(newcomer)
        if not is_known or log_id not in (None, self.tail.log_id):
            await pages.place_in_log(place, log_id)
        return place

    def open(self, scope: Scope, wanted: EventFilter, log_position: int) -> None:
        """Take over an answer that has begun, from after this position on."""
        ends_at = monotonic() + self._limits.seconds_max * (1 - _AGE_SPREAD * random.random())  # noqa: S311
        stream = Stream(self, scope, wanted, log_position, ends_at)
        if self.is_stopping:
            stream.end("stop")
            return
        self._streams.add(stream)
        if self._beating is None:
            self._beating = asyncio.create_task(self._beat(), name="event-streams")
        stream.begin()

    def go_live(self, stream: Stream) -> None:
        """The stream has everything up to the tail's position, and gets what comes."""
        self._live[stream.wanted][stream] = None

    def forget(self, stream: Stream) -> None:
        """It has ended."""
        self._streams.discard(stream)
        self._fall_behind(stream)
        if not self._streams:
            self.tail.leave(self)
            if self._beating is not None:
                self._beating.cancel()
                self._beating = None

    def stop(self) -> None:
        """End all streams after a whole event; new ones end as they begin, and their clients come back."""
        self.is_stopping = True
        self._end_all("stop")

    async def close(self) -> None:
        """After `stop`."""
        if self._beating is not None:
            await cancelled(self._beating)

    def deliver(self, events: Sequence[FeedEvent]) -> None:
        """The bytes of each group, for the clients that are live now."""
        position = events[-1].log_position
        for wanted, streams in self._live.items():
            found = [one for one in events if matches(one.recorded, wanted)]
            if streams and found:
                self._due.append((chunk(sse.blocks(found)), len(found), position, list(streams)))

    async def delivered(self) -> None:
        """Send them, with pauses for other work."""
        async with self._turn:
            due, self._due = self._due, []
            for payload, count, position, streams in due:
                await self._send(payload, position, streams, position - 1)
                _sent.inc(count * len(streams))

    def reset(self) -> None:
        """The clients come back, and are told what is wrong with their place."""
        self._end_all("log")

    async def _send(self, payload: bytes, position: int, streams: Sequence[Stream], behind: int) -> None:
        """To those who are still live, and have nothing after `behind`: one that fell behind and came back
        meanwhile has all from the window.
        """
        until = monotonic() + _WORK_SECONDS_MAX
        waiting_bytes_max = self._limits.waiting_bytes_max
        for stream in streams:
            if stream not in self._live.get(stream.wanted, ()) or stream.log_position > behind:
                continue
            if stream.answer.waiting_bytes > waiting_bytes_max:
                self._fall_behind(stream)
                stream.begin()
                continue
            stream.answer.write(payload)
            stream.log_position = position
            if monotonic() > until:
                await asyncio.sleep(0)
                until = monotonic() + _WORK_SECONDS_MAX

    async def _beat(self) -> None:
        """Signs of life. They also move the place of those who get nothing, and show who has left."""
        while True:
            await asyncio.sleep(self._limits.heartbeat_seconds)
            # Not between the events of one delivery: a place must not pass over what is still due.
            async with self._turn:
                position = self.tail.window.position
                live = [stream for streams in self._live.values() for stream in streams]
                if not self._due:
                    await self._send(chunk(sse.place(position)), position, live, position)
            for stream in tuple(self._streams):
                if stream.ends_at < monotonic():
                    stream.end("old")
                elif stream.is_behind:
                    stream.sign_of_life()

    def _fall_behind(self, stream: Stream) -> None:
        streams = self._live.get(stream.wanted)
        if streams is not None:
            streams.pop(stream, None)
            if not streams:
                del self._live[stream.wanted]

    def _end_all(self, reason: str) -> None:
        for stream in tuple(self._streams):
            stream.end(reason)
