"""Dead letters as batches and operators see them: what is parked, and what is taken out again."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from projector.applying.records import ErrorClass, SourceRecord
from shared.contract.recorded_event import RecordedEvent


class ProductDeadLetter(NamedTuple):
    """A record to park with its product: the product's later events wait behind it."""

    record: SourceRecord
    event: RecordedEvent
    error_class: ErrorClass
    cause: str


class SingleDeadLetter(NamedTuple):
    """A record to park alone: no other waits behind it.

    `event`: what it says, as of a mail that was not sent; None where it cannot be read as an event.
    """

    record: SourceRecord
    event: RecordedEvent | None
    error_class: ErrorClass
    cause: str


DeadLetter = ProductDeadLetter | SingleDeadLetter


class ParkedEvent(NamedTuple):
    """A kept record; it is a `SourceRecord` itself.

    `product_id` None: it is parked alone. `stream_version`, `event_id` None: it cannot be read as an event.
    """

    parked_event_id: int
    product_id: UUID | None
    stream_version: int | None
    event_id: UUID | None
    error_class: ErrorClass
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Action(NamedTuple):
    """What an operator does by hand, kept for ever beside its effect."""

    actor: str
    action: str
    reason: str


class Parking(Protocol):
    """The part of a transaction that parks, and takes out again."""

    async def still_parked(self, product_ids: Collection[UUID]) -> set[UUID]:
        """Those that are parked, locked until the transaction ends: batch and drain wait for each other."""

    async def park(self, letters: Sequence[DeadLetter]) -> None:
        """Keep them. Raises `ParkingIsFull` at a bound. A letter that is there already stays as it is."""

    async def parked(self, product_id: UUID) -> Sequence[ParkedEvent]:
        """A locked product's events, in stream order."""

    async def parked_one(self, parked_event_id: int) -> ParkedEvent | None:
        """One record, locked."""

    async def release(self, events: Sequence[ParkedEvent], action: Action) -> int:
        """Forget them, and their product where nothing of it is left; answers how many are left of it."""

    async def failed_again(self, product_id: UUID, error_class: ErrorClass, cause: str) -> None:
        """A drain has stopped at this cause."""

    async def failed_alone(self, parked_event_id: int, error_class: ErrorClass, cause: str) -> None:
        """The same, of a record that is parked alone."""


class ParkedPlaces(NamedTuple):
    """What a projection must know of its partitions before it goes on there.

    `product_ids` may hold some that were drained meanwhile, never too few. `ordered`: (partition, offset) of
    records that an operator told to park, with the reason.
    """

    product_ids: set[UUID]
    ordered: dict[tuple[int, int], str]


class ParkedProducts(Protocol):
    """Where parked events are kept, outside of any batch."""

    async def places(self, partitions: Collection[int]) -> ParkedPlaces:
        """Raises `Unavailable`."""
