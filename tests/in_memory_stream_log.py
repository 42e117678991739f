"""The event log in memory, for tests of the past; it passes the same suite as PostgreSQL's."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from query_api.errors import Unavailable
from query_api.history.ports import Head, Snapshot, VersionAt
from shared.contract.recorded_event import RecordedEvent


class InMemorySnapshots:
    """Implements `ports.Snapshots`."""

    def __init__(self) -> None:
        self._kept: dict[UUID, list[Snapshot]] = {}

    async def keep(self, product_id: UUID, snapshot: Snapshot) -> None:
        self._kept.setdefault(product_id, []).append(snapshot)

    async def newest(self, product_id: UUID, up_to_version: int) -> Snapshot | None:
        found = [one for one in self._kept.get(product_id, []) if one.stream_version <= up_to_version]
        return max(found, default=None, key=lambda one: one.stream_version)


class InMemoryStreamLog:
    """Implements `ports.StreamLog`; `failure`, where set, is raised by everything. `pages` counts reads."""

    def __init__(self, *, page_events_max: int = 500) -> None:
        self.failure: Unavailable | None = None
        self.archived: set[UUID] = set()
        self.pages = 0
        self._page_events_max = page_events_max
        self._streams: dict[UUID, list[RecordedEvent]] = {}

    async def append(self, events: Sequence[RecordedEvent]) -> UUID:
        """Events of one product, from its first version on; returns its id."""
        self._streams.setdefault(events[0].product_id, []).extend(events)
        return events[0].product_id

    def forget(self, product_id: UUID, count: int) -> None:
        """The oldest events are gone with a removed partition."""
        del self._streams[product_id][:count]

    async def head(self, product_id: UUID, *, with_position: bool) -> Head:
        self._fail()
        stream = self._streams.get(product_id)
        positions = (event.log_position for events in self._streams.values() for event in events)
        newest = max(positions, default=0) if with_position else None
        return Head(stream[-1].stream_version if stream else None, product_id in self.archived, newest)

    async def version_at(self, product_id: UUID, time: datetime) -> VersionAt | None:
        self._fail()
        stream = self._streams.get(product_id)
        if stream is None:
            return None
        found = [event.stream_version for event in stream if event.recorded_at <= time]
        return VersionAt(max(found, default=0), stream[-1].stream_version)

    async def page(self, product_id: UUID, above_version: int, up_to_version: int) -> Sequence[RecordedEvent]:
        self._fail()
        self.pages += 1
        stream = self._streams.get(product_id, [])
        found = [event for event in stream if above_version < event.stream_version <= up_to_version]
        return found[: self._page_events_max]

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure
