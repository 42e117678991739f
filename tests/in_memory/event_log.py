"""The event log in memory, as the projector reads it."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from projector.errors import ProjectorError
from shared.contract.recorded_event import RecordedEvent


class InMemoryEventLog:
    """Implements `ports.EventLog`; `failure`, where set, is raised by everything."""

    def __init__(self, log_id: UUID) -> None:
        self.failure: ProjectorError | None = None
        self._log_id = log_id
        self._events: dict[int, RecordedEvent] = {}

    async def keep(self, events: Iterable[RecordedEvent]) -> None:
        """As the writer appends them; one at a position that is taken replaces it."""
        self._events |= {event.log_position: event for event in events}

    async def log_id(self) -> UUID:
        self._fail()
        return self._log_id

    async def newest_position(self) -> int:
        self._fail()
        return max(self._events, default=0)

    async def events_after(self, stream_versions: Mapping[UUID, int]) -> Mapping[UUID, list[RecordedEvent]]:
        self._fail()
        found: dict[UUID, list[RecordedEvent]] = {}
        for event in sorted(self._events.values(), key=lambda one: one.stream_version):
            if event.stream_version > stream_versions.get(event.product_id, event.stream_version):
                found.setdefault(event.product_id, []).append(event)
        return found

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure
