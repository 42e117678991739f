"""The port of the use case: an event store. Its adapter is in `postgres/`.

Outcomes are values and not exceptions, because each command of a group commit gets its own. These errors are
raised:

    StoreError
    +-- StoreUnavailable    certainly not written; try again later
    +-- StoreOverloaded     a queue is full, or too slow; certainly not written
        +-- KeyInUse        another command with the same key is running; this one was not begun
    +-- OutcomeUnknown      the connection broke during the call, and the outcome could not be read in time
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from command_api.domain.product import Reservation
from shared.contract.codec import EncodedEvent
from shared.contract.events import ProductEvent


class StoreError(Exception):
    """The event store could not execute the call."""


class StoreUnavailable(StoreError):
    """Certainly not written."""


class StoreOverloaded(StoreError):
    """Certainly not written: too many commands are waiting. `reason` is for the metric."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class KeyInUse(StoreOverloaded):
    """The first command with this key takes long; a retry gets its answer."""


class OutcomeUnknown(StoreError):
    """It may have been written or not; a retry with the same key gets the answer."""


Session = Hashable
"""One connection that appends, from its beginning to its loss. While it lasts, the log is the same: a log
that was restored, and a replica that was promoted, are reached over another one.
"""


class StreamPlace(Struct, frozen=True):
    """The place of an event in a log. Its `metadata` has the event's id: a log that was restored from a
    backup and then went another way may have another event there.
    """

    stream_version: int
    position: int
    metadata: bytes


class Stream(Struct, frozen=True):
    """The loaded stream of a product. `stream_version` 0: it has no events.

    `events` are those after `after_version` (0: all); `place` is that of the last event.
    """

    stream_version: int
    last_position: int
    events: Sequence[ProductEvent]
    after_version: int = 0
    place: StreamPlace | None = None


NO_STREAM = Stream(0, 0, ())


class NewEvent(Struct, frozen=True):
    """An event to append: its stored form, and its metadata as JSON bytes with the event id in it."""

    encoded: EncodedEvent
    event_id: UUID
    metadata: bytes


class KeyedAnswer(Struct, frozen=True):
    """The answer to store under an idempotency key. `key` and `fingerprint` are 128-bit hashes."""

    key: UUID
    fingerprint: UUID
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The first answer to a key."""

    fingerprint: UUID
    product_id: UUID
    stream_version: int
    last_position: int
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Append:
    """The effect of one command. Without events only the answer is stored, if the version has not changed.

    `waited_seconds`: how long the command has waited before; the limit of the store's queue includes it.
    `known_in`: the session in which the state was known that the command decided on. In another one the
    command is refused as a version conflict; None: the state was loaded for it.
    """

    product_id: UUID
    expected_version: int
    last_position: int
    events: Sequence[NewEvent]
    claims: frozenset[Reservation] = frozenset()
    releases: frozenset[Reservation] = frozenset()
    answer: KeyedAnswer | None = None
    waited_seconds: float = 0.0
    known_in: Session | None = None

    @property
    def touches(self) -> set[UUID | Reservation]:
        """The product, key, slugs and SKUs that it concerns."""
        keys = () if self.answer is None else (self.answer.key,)
        return {self.product_id, *self.claims, *self.releases, *keys}


class Appended(Struct, frozen=True):
    """The events are durably in the log; `last_position` is the position of the product's newest event."""

    stream_version: int
    last_position: int


@dataclass(frozen=True, slots=True)
class VersionConflict:
    """The product is at `current_version` now."""

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
    """The event log for commands. All methods raise `StoreUnavailable` if the store cannot be reached."""

    @property
    def session(self) -> Session | None:
        """The present session; None without a connection."""

    async def load(self, product_id: UUID, known: StreamPlace | None = None) -> Stream:
        """The product's stream after the known place; whole, if nothing is known, or if the log has another
        event at that place. `NO_STREAM` if it has no events.
        """

    async def append(self, append: Append) -> AppendOutcome:
        """Write one command's events, all or none. Raises a `StoreError`."""

    async def find_answer(self, key: UUID) -> StoredAnswer | None:
        """The answer to this key, if it was given within the last 24 hours."""

    async def find_holder(self, reservation: Reservation) -> UUID | None:
        """The product that holds this slug or SKU."""
