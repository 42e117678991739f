"""Events on their way to one view, as Kafka would deliver them, whatever the view and the log are kept in."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from projector.applying.apply import Applied, Applier
from projector.applying.batch import Item
from projector.applying.ports import Fold, View
from projector.kafka.records import read_one
from shared.contract.recorded_event import RecordedEvent
from tests.unit.projector.records import LOG_ID, folded, record_of


class Deliveries:
    """To one process. Offsets rise, whatever the events are."""

    def __init__(self, view: View[Any], fold: Fold[Any], projection: Applier[Any]) -> None:
        self.view = view
        self.fold = fold
        self.projection = projection
        self.offset = 0

    async def deliver(self, *events: RecordedEvent, isolate: bool = False) -> Applied:
        records = [record_of(event, offset) for offset, event in enumerate(events, start=self.offset)]
        return await self.deliver_records(*records, isolate=isolate)

    async def deliver_records(self, *records: Any, isolate: bool = False) -> Applied:
        batch: list[Item] = [read_one(record, LOG_ID) for record in records]
        applied = await self.projection.apply(batch, isolate=isolate)
        self.offset = records[-1].offset + 1
        return applied

    async def shows(self, product_id: UUID) -> tuple[int, Any] | None:
        """(version, what is kept of it) as it stands in the view."""
        async with self.view.begin({}) as batch:
            return (await batch.held([product_id])).get(product_id)

    def folded(self, events: Sequence[RecordedEvent]) -> tuple[int, Any]:
        """What it must show after these events."""
        return folded(events, self.fold)
