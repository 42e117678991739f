"""A projection over a read model and a log in memory, to which a test delivers events as Kafka would."""

from typing import Any

from projector.applying.apply import Applier
from projector.applying.ports import Fold, Listener
from projector.kafka.records import read_one
from projector.parking.postgres.parking import DEFAULT_LIMITS, ParkingLimits
from projector.parking.retry import Retry
from projector.projections import ANALYTICS, PRODUCT_CACHE, PRODUCT_VIEW
from projector.views.product_document import FOLD as DOCUMENTS
from shared.contract.recorded_event import RecordedEvent
from tests.in_memory.rows import KeptRecord
from tests.table_projections import TABLES
from tests.unit.projector.deliveries import Deliveries
from tests.unit.projector.in_memory_stores import InMemoryStores, WrittenInMemoryLog

VIEWS = (*TABLES, PRODUCT_CACHE.name)
VIEWS_OF_EVERY_TYPE = (PRODUCT_VIEW.name, PRODUCT_CACHE.name, ANALYTICS.name)
"""Views that use all types there are: what is broken is broken for them."""


def fold_of(name: str) -> Fold[Any]:
    """The one that feeds the view of this name."""
    return DOCUMENTS if name == PRODUCT_CACHE.name else TABLES[name].fold


class Feed(Deliveries):
    """One process."""

    def __init__(
        self,
        name: str = PRODUCT_VIEW.name,
        *,
        beside: "Feed | None" = None,
        limits: ParkingLimits = DEFAULT_LIMITS,
        **more: Any,
    ) -> None:
        """`beside`: over the same read model and the same log as another process."""
        self.name = name
        self.stores = InMemoryStores(forgets=name == PRODUCT_CACHE.name) if beside is None else beside.stores
        self.log = WrittenInMemoryLog() if beside is None else beside.log
        view, fold, parked = self.stores.view(limits), fold_of(name), self.stores.parked_products()
        super().__init__(view, fold, Applier(view, fold, self.log.reading, parked, **more))

    def another(self, **more: Any) -> "Feed":
        """One more process, which knows nothing yet."""
        return Feed(self.name, beside=self, **more)

    @property
    def parked(self) -> list[KeptRecord]:
        """In the order of parking."""
        return list(self.stores.rows.records.values())

    @property
    def reasons(self) -> list[tuple[str, int | None]]:
        """(error class, stream version) of each parked record."""
        return [(one.record.error_class, one.record.stream_version) for one in self.parked]

    def use(self, fold: Fold[Any]) -> None:
        """Another release's fold, from now on."""
        self.projection._transaction._fold = fold

    def retrying(self, *, fold: Fold[Any] | None = None, listener: Listener[Any] | None = None) -> Retry[Any]:
        """As an operator's command has it."""
        return Retry(self.stores.view(), fold or self.fold, self.log.reading, read_one, listener)

    def mend(self, stream_version: int | None, **changed: Any) -> None:
        """Change parked records by hand: those of this version, or with None those that are no events."""
        records = self.stores.rows.records
        for number, one in records.items():
            if one.record.stream_version == stream_version:
                records[number] = one._replace(record=one.record._replace(**changed))


class Odd(Exception):
    """An error that nobody has foreseen."""


def failing_at(event: RecordedEvent, fold: Fold[Any], error: Exception | None = None) -> Fold[Any]:
    """The fold as it was before its defect was mended; without an error, one that nobody has foreseen."""

    def apply(state: Any, decoded: Any, recorded: RecordedEvent) -> Any:
        if recorded.metadata.event_id == event.metadata.event_id:
            raise error or Odd("boom")
        return fold.apply(state, decoded, recorded)

    return fold._replace(apply=apply)
