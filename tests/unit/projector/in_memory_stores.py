"""What the suites of views ask for, over the read model in memory."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID

from projector.applying.dead_letters import Parking
from projector.control.ports import PartitionLag
from projector.parking.postgres.parking import DEFAULT_LIMITS, ParkingLimits
from shared.contract.recorded_event import RecordedEvent
from tests.in_memory.control import InMemoryControlBoard, InMemoryUncopiedDeadLetters
from tests.in_memory.event_log import InMemoryEventLog
from tests.in_memory.read_model import InMemoryReadModel
from tests.in_memory.rows import Done, KeptProduct, KeptRecord, Rows
from tests.in_memory.view import InMemoryParkedProducts, InMemoryView
from tests.unit.projector.records import LOG_ID, TOPIC, stored

PROJECTION = "a_view"


class InMemoryStores:
    """Implements `view_suites.Stores`."""

    def __init__(self, *, forgets: bool = False, kept: Callable[[Any], Any] = stored) -> None:
        self.read_model = InMemoryReadModel()
        self.forgets = forgets
        self._kept = kept

    @property
    def rows(self) -> Rows:
        """What is committed."""
        return self.read_model.rows(PROJECTION)

    def view(self, limits: ParkingLimits = DEFAULT_LIMITS) -> InMemoryView[Any]:
        return InMemoryView(
            self.read_model, PROJECTION, TOPIC, limits=limits, forgets=self.forgets, kept=self._kept
        )

    def parked_products(self) -> InMemoryParkedProducts:
        return InMemoryParkedProducts(self.read_model, PROJECTION, TOPIC)

    async def records(self) -> Sequence[KeptRecord]:
        return list(self.rows.records.values())

    async def products(self) -> Mapping[UUID, KeptProduct]:
        return self.rows.products

    async def done(self) -> Sequence[Done]:
        return self.rows.done

    async def order(self, partition: int, offset: int, reason: str) -> None:
        self.rows.orders[TOPIC, partition, offset] = reason

    async def somebody_waits(self) -> None:
        assert self.read_model.waiting == 1


class WrittenInMemoryLog:
    """Implements `event_log_suite.WrittenLog`."""

    def __init__(self, log_id: UUID = LOG_ID) -> None:
        self.log_id = log_id
        self.reading = InMemoryEventLog(log_id)

    async def keep(self, events: Sequence[RecordedEvent]) -> None:
        await self.reading.keep(events)


class InMemoryControl:
    """Implements `control_suites.ControlStores`."""

    def __init__(self) -> None:
        self.read_model = InMemoryReadModel()
        self._board = InMemoryControlBoard(self.read_model)
        self._dead_letters = InMemoryUncopiedDeadLetters(self.read_model)

    def board(self) -> InMemoryControlBoard:
        return self._board

    def dead_letters(self) -> InMemoryUncopiedDeadLetters:
        return self._dead_letters

    def parking(self, projection: str) -> AbstractAsyncContextManager[Parking]:
        return self.read_model.parking_alone(projection)

    async def lags(self) -> Sequence[tuple[str, str, PartitionLag]]:
        return [(projection, topic, lag) for (projection, topic, _), lag in sorted(self._board.lags.items())]
