"""The event log in memory, as the projector reads it."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from projector.errors import ProjectorError
from projector.rebuild.bulk_fold import LogRow
from shared.contract.recorded_event import RecordedEvent


class InMemoryEventLog:
    """Implements `applying.ports.EventLog`; `failure`, where set, is raised by all."""

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

    async def tail(self, after: int, upto: int, events_max: int) -> list[RecordedEvent]:
        """The log after a position, in order."""
        self._fail()
        return [self._events[at] for at in sorted(self._events) if after < at <= upto][:events_max]

    async def removed_partition(self, after: int, upto: int) -> str | None:
        """This log has no partitions."""
        self._fail()
        return None

    async def refuse_removed(self, after: int, upto: int) -> None:
        self._fail()

    async def count_products(self, upto: int) -> int:
        """Up to a position."""
        return len({event.product_id for event in await self.tail(0, upto, len(self._events))})

    async def slice_rows(self, upto: int, slices: int, which: int) -> list[LogRow]:
        """The events of some of the products, as the first pass of a rebuild reads them."""
        events = await self.tail(0, upto, len(self._events))
        return [_row(one) for one in events if one.product_id.int % slices == which]

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


def _row(event: RecordedEvent) -> LogRow:
    return (
        event.log_position,
        event.product_id.bytes,
        event.stream_version,
        event.event_type,
        event.schema_version,
        event.data,
        event.recorded_at,
    )
