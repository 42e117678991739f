"""A view as the subject of repositioning: events of the log are applied as if Kafka had delivered them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from projector.applying.apply import Applier
from projector.applying.dead_letters import Action
from projector.applying.ports import EventLog
from projector.errors import CannotGoOn
from projector.parking.log_records import made_delivery
from projector.reposition.ports import Known, Places
from projector.reposition.postgres.places import PostgresPlaces
from shared.contract.recorded_event import RecordedEvent


class ViewSubject:
    """Implements `Subject`. Parked products stay parked, and their events are parked behind them."""

    def __init__(
        self,
        name: str,
        applier: Applier[Any],
        log: EventLog,
        places: PostgresPlaces,
        *,
        topic: str,
        partition_count: int,
    ) -> None:
        self.name = name
        self._applier = applier
        self._log = log
        self._places = places
        self._topic = topic
        self._partition_count = partition_count
        self._log_id: UUID | None = None

    async def known(self) -> Known:
        """Its checkpoints; for a cache, which has none, what its consumers have reported."""
        checkpoints = await self._applier.place(range(self._partition_count))
        if not self._places.has_checkpoints:
            return Known(await self._places.reported())
        positions = {partition: point.log_position for partition, point in checkpoints.items()}
        return Known(positions, frozenset(point.log_id for point in checkpoints.values()))

    async def apply(self, events: Sequence[RecordedEvent]) -> None:
        if self._log_id is None:
            self._log_id = await self._log.log_id()
        log_id = self._log_id
        batch = [made_delivery(one, self._topic, self._partition_count, log_id) for one in events]
        applied = await self._applier.apply(batch)
        for partition, (_, reason) in applied.stopped.items():
            raise CannotGoOn(f"{self.name}, partition {partition}: {reason}")

    async def place(self, places: Places, action: Action, detail: str) -> None:
        await self._places.place(places, action, detail)
