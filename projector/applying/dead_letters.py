"""Dead letters as batches and operators see them: events to park, and events that are parked."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
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

    `event`: the decoded event, as for a mail that was not sent; None if the record cannot be read as an
    event.
    """

    record: SourceRecord
    event: RecordedEvent | None
    error_class: ErrorClass
    cause: str


DeadLetter = ProductDeadLetter | SingleDeadLetter


class StoredDeadLetter(NamedTuple):
    """A dead letter as stored; it has the fields of a `SourceRecord`.

    `product_id` None: it is parked alone. `stream_version`, `event_id` None: it cannot be read as an event.
    """

    dead_letter_id: int
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
    """An operator action; stored for ever, in the transaction of its effect."""

    actor: str
    action: str
    reason: str


class Parking(Protocol):
    """The part of a transaction that parks events and releases them."""

    async def still_parked(self, product_ids: Collection[UUID]) -> set[UUID]:
        """Those of them that are parked, locked until the transaction ends.

        So a batch and a retry of the same product wait for each other.
        """

    async def park(self, dead_letters: Sequence[DeadLetter]) -> None:
        """Store them; one that is stored already stays as it is. Raises `ParkingIsFull` at a limit."""

    async def parked(self, product_id: UUID) -> Sequence[StoredDeadLetter]:
        """A locked product's events, in stream order."""

    async def parked_one(self, dead_letter_id: int) -> StoredDeadLetter | None:
        """One record, locked."""

    async def release(self, events: Sequence[StoredDeadLetter], action: Action) -> int:
        """Delete them, and their product's mark with its last one; returns how many the product has left."""

    async def failed_again(self, product_id: UUID, error_class: ErrorClass, cause: str) -> None:
        """Note that a retry stopped for this cause."""

    async def failed_alone(self, dead_letter_id: int, error_class: ErrorClass, cause: str) -> None:
        """The same for a record that is parked alone."""


OpenParking = Callable[[], AbstractAsyncContextManager[Parking]]
"""Begins a transaction of its own in which dead letters are parked; committed if its block ends without an
error.
"""


class ParkedPlaces(NamedTuple):
    """What is parked, or is to be parked, in the partitions that a projection starts to read.

    `product_ids` may hold products that were retried meanwhile, but lacks none. `ordered`: (partition,
    offset) of each record that an operator ordered to park, with the reason.
    """

    product_ids: set[UUID]
    ordered: dict[tuple[int, int], str]


class ParkedProducts(Protocol):
    """The stored dead letters, outside of any batch."""

    async def places(self, partitions: Collection[int]) -> ParkedPlaces:
        """Raises `Unavailable`."""
