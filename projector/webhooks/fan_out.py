"""Puts the new events of the log into the queues of the endpoints that want them."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from projector.webhooks.message import event_message, wants
from projector.webhooks.ports import Endpoint, EndpointLog, Message, Queue
from shared.contract.recorded_event import RecordedEvent

# After so many events there are probably more.
_MANY_EVENTS = 100
# How often a place is stored that moved over events which the endpoint does not want. A process that starts
# looks at them again.
_STORE_SECONDS = 5.0


class Fanned(NamedTuple):
    """The endpoints at their new places. `is_behind`: more events follow at once.

    `read_until`: all events that were recorded until then are read, in seconds since 1970; None: all that
    there are. An endpoint whose queue is full does not count: it waits for its receiver.
    """

    endpoints: Sequence[Endpoint]
    is_behind: bool
    read_until: float | None


class _Looked(NamedTuple):
    """How far this process has looked, from which stored place on, and when that was stored."""

    stored_position: int
    log_position: int
    stored_at: float


class FanOut:
    """`messages_waiting_max`: an endpoint with so many waiting messages gets no more: the log keeps them."""

    def __init__(
        self,
        log: EndpointLog,
        queue: Queue,
        *,
        messages_waiting_max: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._queue = queue
        self._messages_waiting_max = messages_waiting_max
        self._clock = clock
        self._looked: dict[UUID, _Looked] = {}
        self._full: set[UUID] = set()

    async def turn(self, endpoints: Sequence[Endpoint], log_id: UUID) -> Fanned:
        """Moves each endpoint a stretch. Endpoints at the same place share one read of the log. Raises
        `Unavailable`.
        """
        self._looked = {each.endpoint_id: self._place(each) for each in endpoints}
        self._full.clear()
        by_place: dict[int, list[Endpoint]] = defaultdict(list)
        for endpoint in endpoints:
            by_place[self._looked[endpoint.endpoint_id].log_position].append(endpoint)
        moved: list[Endpoint] = []
        is_behind, times = False, set[float]()
        for place, there in sorted(by_place.items()):
            events = await self._log.next_events(place)
            made: dict[int, Message] = {}
            for endpoint in there:
                moved.append(await self._move(endpoint, events, log_id, made) if events else endpoint)
                has_moved = self._looked[endpoint.endpoint_id].log_position > place
                if events and endpoint.endpoint_id not in self._full:
                    times.add(events[-1 if has_moved else 0].recorded_at.timestamp())
                is_behind = is_behind or (has_moved and len(events) >= _MANY_EVENTS)
        return Fanned(moved, is_behind, min(times, default=None))

    def _place(self, endpoint: Endpoint) -> _Looked:
        """What was looked at counts only from the place that is stored now: others move it, too."""
        looked = self._looked.get(endpoint.endpoint_id)
        if looked is not None and looked.stored_position == endpoint.log_position:
            return looked
        return _Looked(endpoint.log_position, endpoint.log_position, self._clock())

    async def _move(
        self, endpoint: Endpoint, events: Sequence[RecordedEvent], log_id: UUID, made: dict[int, Message]
    ) -> Endpoint:
        """`made` are the messages of this stretch: each is made once, however many endpoints get it."""
        wanted = [event for event in events if wants(endpoint.document, event)]
        place, looked = events[-1].log_position, self._looked[endpoint.endpoint_id]
        if not wanted and self._clock() - looked.stored_at < _STORE_SECONDS:
            self._looked[endpoint.endpoint_id] = looked._replace(log_position=place)
            return endpoint
        if wanted and not await self._has_room(endpoint.endpoint_id):
            self._full.add(endpoint.endpoint_id)
            return endpoint
        for event in wanted:
            if event.log_position not in made:
                made[event.log_position] = event_message(event, log_id)
        if not await self._queue.add(endpoint, [made[event.log_position] for event in wanted], place):
            return endpoint
        self._looked[endpoint.endpoint_id] = _Looked(place, place, self._clock())
        return endpoint._replace(log_position=place)

    async def _has_room(self, endpoint_id: UUID) -> bool:
        most = self._messages_waiting_max
        return await self._queue.waiting_messages(endpoint_id, most) < most
