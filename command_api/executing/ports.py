"""What the use case needs from outside: an event store. Owned here, adapted in `postgres/`.

Outcomes are values, not exceptions: each command of a group commit gets its own. What the store could
not do at all is raised:

    StoreError
    +-- StoreUnavailable    certainly not written; try again later
    +-- StoreOverloaded     the queue is full; certainly not written
    +-- OutcomeUnknown      the connection broke in the middle and the truth could not be read in time
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from command_api.domain.product import Reservation
from shared.contract.codec import EncodedEvent
from shared.contract.events import ProductEvent


class StoreError(Exception):
    """The event store could not do what was asked."""


class StoreUnavailable(StoreError):
    """Certainly not written."""


class StoreOverloaded(StoreError):
    """Certainly not written: too many commands are waiting."""


class OutcomeUnknown(StoreError):
    """It may have been written or not; a retry with the same key tells."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A product's history as loaded. `stream_version` 0: there is none."""

    stream_version: int
    last_position: int
    events: Sequence[ProductEvent]


NO_STREAM = Stream(0, 0, ())


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to append: its stored form, and its metadata as JSON bytes with the event id in it."""

    encoded: EncodedEvent
    event_id: UUID
    metadata: bytes


@dataclass(frozen=True, slots=True)
class KeyedAnswer:
    """The answer to keep under an idempotency key. `key` and `fingerprint` are 128-bit hashes."""

    key: UUID
    fingerprint: UUID
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What a key was answered with the first time."""

    fingerprint: UUID
    product_id: UUID
    stream_version: int
    last_position: int
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Append:
    """One command's effect. Without events only the answer is stored, if the version still stands."""

    product_id: UUID
    expected_version: int
    last_position: int
    events: Sequence[NewEvent]
    claims: frozenset[Reservation] = frozenset()
    releases: frozenset[Reservation] = frozenset()
    answer: KeyedAnswer | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """Durably in the log; `last_position` is that of the product's newest event."""

    stream_version: int
    last_position: int


@dataclass(frozen=True, slots=True)
class VersionConflict:
    """The product has moved on to `current_version`."""

    current_version: int


@dataclass(frozen=True, slots=True)
class DuplicateKey:
    """The key has an answer already: look it up."""


@dataclass(frozen=True, slots=True)
class ReservationTaken:
    """Another product holds the slug or SKU."""

    reservation: Reservation


AppendOutcome = Appended | VersionConflict | DuplicateKey | ReservationTaken


class EventStore(Protocol):
    """The log, as commands see it. All raise `StoreUnavailable` when the store cannot be reached."""

    async def load(self, product_id: UUID) -> Stream:
        """The product's whole history; `NO_STREAM` when there is none."""

    async def append(self, append: Append) -> AppendOutcome:
        """Write one command's events, all or none. Raises a `StoreError`."""

    async def find_answer(self, key: UUID) -> StoredAnswer | None:
        """What this key was answered within the last 24 hours."""

    async def find_holder(self, reservation: Reservation) -> UUID | None:
        """The product that holds this slug or SKU."""
