"""The feed over a log in memory, with clients whose connections a test holds in its hand."""

import asyncio
from contextlib import suppress
from typing import Any

from query_api.events.http.streams import EventStreams, StreamLimits
from query_api.events.pages import EventPages, PageQuery
from query_api.events.ports import EVERYTHING, EventFilter
from query_api.events.tail import Tail, TailTimes
from query_api.events.window import Window
from shared.contract.recorded_event import RecordedEvent
from shared.ops.http.limits import ConnectionLimits
from shared.ops.http.open_answer import OPEN_ANSWER, OpenAnswer
from tests.eventually import eventually
from tests.in_memory_event_log import InMemoryEventLog
from tests.past_events import created, past_events

POLL_SECONDS = 0.001


class Transport:
    """Keeps what is written. While `reads` is False, the client takes nothing."""

    def __init__(self) -> None:
        self.written = b""
        self.waiting = 0
        self.reads = True
        self.is_aborted = False

    def write(self, data: bytes) -> None:
        self.written += data
        self.waiting += 0 if self.reads else len(data)

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def abort(self) -> None:
        self.is_aborted = True


class Connection:
    """What an open answer needs of a protocol."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport = Transport()
        self.limits = ConnectionLimits(linger_seconds_max=0.01)
        self.flow = self
        self.open_answer: OpenAnswer | None = None
        self.is_closed = False
        self._takes = asyncio.Event()
        self._takes.set()

    async def drain(self) -> None:
        await self._takes.wait()

    def close_after_reading(self) -> None:
        self.is_closed = True

    def stop_reading(self) -> None:
        self.transport.reads = False
        self._takes.clear()

    def read_on(self) -> None:
        self.transport.reads, self.transport.waiting = True, 0
        self._takes.set()

    def lose(self) -> None:
        assert self.open_answer is not None
        self.open_answer.lost()


class Cycle:
    """uvicorn's request."""

    disconnected = False
    response_complete = False


class Client:
    """One subscriber of the streams."""

    def __init__(self, streams: EventStreams, wanted: EventFilter, log_position: int) -> None:
        self.connection = Connection()
        scope: dict[str, Any] = {OPEN_ANSWER: (self.connection, Cycle())}
        streams.open(scope, wanted, log_position)

    @property
    def positions(self) -> list[int]:
        """Of the events that it got, in their order."""
        blocks = self.connection.transport.written.split(b"\n\n")
        found = [block for block in blocks if b"\ndata: " in block]
        return [int(block[block.index(b"id: ") + 4 :].split(b"\n")[0]) for block in found]

    @property
    def place(self) -> int:
        """The last id, as the client sends it when it comes back."""
        _, _, rest = self.connection.transport.written.rpartition(b"id: ")
        return int(rest.split(b"\n")[0]) if rest else 0

    async def has(self, positions: list[int]) -> None:
        """These and no others, sooner or later."""

        def same() -> None:
            assert self.positions == positions

        await eventually(same)


class FeedWorld:
    """`heartbeat_seconds`: by default no sign of life comes."""

    def __init__(
        self,
        *,
        window_events_max: int = 1000,
        waiting_bytes_max: int = 1_000_000,
        heartbeat_seconds: float = 1000.0,
        seconds_max: float = 1000.0,
        linger_seconds: float = 0.0,
        behind_seconds_max: float = 1000.0,
        log: InMemoryEventLog | None = None,
    ) -> None:
        self.log = log or InMemoryEventLog()
        times = TailTimes(POLL_SECONDS, linger_seconds, 0.05, behind_seconds_max)
        self.tail = Tail(self.log, Window(events_max=window_events_max, bytes_max=10_000_000), times)
        limits = StreamLimits(100, waiting_bytes_max, heartbeat_seconds, seconds_max)
        self.streams = EventStreams(self.tail, self.log, limits)
        self.pages = EventPages(self.log, self.tail)

    async def append(self, count: int = 1) -> list[RecordedEvent]:
        """Events of new products."""
        events = [each for _ in range(count) for each in past_events(created())]
        await self.log.append(events)
        return events

    def client(self, log_position: int = 0, wanted: EventFilter = EVERYTHING) -> Client:
        return Client(self.streams, wanted, log_position)

    async def is_at(self, log_position: int) -> None:
        """The tail has read up to there."""

        def has_read() -> None:
            assert self.tail.has_begun
            assert self.tail.window.position == log_position

        await eventually(has_read)

    async def is_idle(self) -> None:
        def runs_nothing() -> None:
            assert not self.tail.is_running

        await eventually(runs_nothing)

    async def close(self) -> None:
        self.streams.stop()
        await self.streams.close()
        with suppress(asyncio.CancelledError):
            await self.tail.close()


def query(after: int = 0, wait_seconds: float = 0.0, limit: int = 50, **wanted: Any) -> PageQuery:
    return PageQuery(after, EventFilter(**wanted), limit, wait_seconds, None)


def positions(events: list[RecordedEvent]) -> list[int]:
    return [each.log_position for each in events]
