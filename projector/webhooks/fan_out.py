"""Puts the new events of the log into the queues of the endpoints that want them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from projector.webhooks.message import event_message, wants
from projector.webhooks.ports import Endpoint, EndpointLog, Message, Queue
from shared.contract.recorded_event import RecordedEvent

# After so many events there are probably more.
_MANY_EVENTS = 100


class Fanned(NamedTuple):
    """The endpoints at their new places. `is_behind`: more events follow at once."""

    endpoints: Sequence[Endpoint]
    is_behind: bool


class FanOut:
    """`messages_waiting_max`: an endpoint with so many waiting messages gets no more: the log keeps them."""

    def __init__(self, log: EndpointLog, queue: Queue, *, messages_waiting_max: int) -> None:
        self._log = log
        self._queue = queue
        self._messages_waiting_max = messages_waiting_max

    async def turn(self, endpoints: Sequence[Endpoint], log_id: UUID) -> Fanned:
        """Moves each endpoint a stretch. Endpoints at the same place share one read of the log. Raises
        `Unavailable`.
        """
        by_place: dict[int, list[Endpoint]] = defaultdict(list)
        for endpoint in endpoints:
            by_place[endpoint.log_position].append(endpoint)
        moved: list[Endpoint] = []
        is_behind = False
        for place, there in sorted(by_place.items()):
            events = await self._log.next_events(place)
            made: dict[int, Message] = {}
            for endpoint in there:
                now = await self._move(endpoint, events, log_id, made)
                moved.append(now)
                has_moved = now.log_position > place
                is_behind = is_behind or (has_moved and len(events) >= _MANY_EVENTS)
        return Fanned(moved, is_behind)

    async def _move(
        self, endpoint: Endpoint, events: Sequence[RecordedEvent], log_id: UUID, made: dict[int, Message]
    ) -> Endpoint:
        """`made` are the messages of this stretch: each is made once, however many endpoints get it."""
        wanted = [event for event in events if wants(endpoint.document, event)]
        if not events or (wanted and not await self._has_place(endpoint.endpoint_id)):
            return endpoint
        for event in wanted:
            if event.log_position not in made:
                made[event.log_position] = event_message(event, log_id)
        messages = [made[event.log_position] for event in wanted]
        place = events[-1].log_position
        if await self._queue.add(endpoint, messages, place):
            return endpoint._replace(log_position=place)
        return endpoint

    async def _has_place(self, endpoint_id: UUID) -> bool:
        most = self._messages_waiting_max
        return await self._queue.waiting_messages(endpoint_id, most) < most
