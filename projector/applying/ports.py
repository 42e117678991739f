"""What the use cases need from outside, owned here; `postgres/`, `redis/` and `kafka/` provide it.

The errors that adapters raise stand in `errors.py`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar
from uuid import UUID

from shared.contract.events import ProductEvent
from shared.contract.recorded_event import RecordedEvent

S = TypeVar("S")
"""What a view keeps of one product."""


class SourceRecord(Protocol):
    """A Kafka record as it came, bytes untouched. `timestamp` is in milliseconds since 1970."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class MadeRecord(NamedTuple):
    """A `SourceRecord` that Kafka did not give: from the log, or kept for a later attempt."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Delivered(NamedTuple):
    """One event as Kafka delivered it; `offset` is of its partition of `products-events`."""

    partition: int
    offset: int
    event: RecordedEvent
    log_id: UUID
    record: SourceRecord


class Unreadable(NamedTuple):
    """A record that is no event; `product_id` is what its key says, where that is an id."""

    partition: int
    offset: int
    product_id: UUID | None
    log_id: UUID
    record: SourceRecord
    error_class: "ErrorClass"
    cause: str


ErrorClass = Literal[
    "unreadable-record",  # a header, the key or the value cannot be read: what it was is not known
    "undecodable",  # the body is not what its type and schema version promise
    "unknown-schema-version",
    "history-does-not-fold",  # the event cannot follow what came before it
    "refused-by-store",  # a value or constraint error
    "unknown",  # anything else that did not pass within its budget
    "other-log",  # of another event store: never parked by itself, the projection stops
    "ordered",  # an operator told to park it
    "mail-refused",  # the mail server will never take it
    "mail-not-sent",  # certainly not sent, and all retries are used up
    "mail-outcome-unknown",  # may have been sent: only an operator may have it sent again
    "follower",  # nothing is wrong with it, but an earlier event of its product is parked
]


class Letter(NamedTuple):
    """A record to park. `event` None: it could not be read, so no product is parked with it."""

    record: SourceRecord
    event: RecordedEvent | None
    error_class: ErrorClass
    cause: str


class Checkpoint(NamedTuple):
    """How far a projection is in one partition: the offset to read next, the log position applied last."""

    next_offset: int
    log_position: int
    log_id: UUID


class Fold(NamedTuple, Generic[S]):
    """One projection's pure part. Stored types not in `event_types` only move the version on."""

    event_types: frozenset[str]
    apply: Callable[[S | None, ProductEvent, RecordedEvent], S | None]
    pass_over: Callable[[S, RecordedEvent], S]


class Held(NamedTuple, Generic[S]):
    """What a view holds of a product; `state` None: it is deleted."""

    stream_version: int
    state: S | None


class Change(NamedTuple, Generic[S]):
    """What a batch does to one product.

    `before` None: the view held nothing of it. `after` None: it is deleted, and `last` is what it was (a
    tombstone row keeps its slug and name).
    """

    product_id: UUID
    stream_version: int
    log_position: int
    before: S | None
    after: S | None
    last: S


class ParkedEvent(NamedTuple):
    """A kept record; it is a `SourceRecord` itself. `stream_version` None: it could not be read."""

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

    async def park(self, letters: Sequence[Letter]) -> None:
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
        """The same, of a record that belongs to no product."""


class BatchWriter(Parking, Protocol[S]):
    """One batch in the making; what it saves becomes visible when its context ends without an error."""

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[S]]:
        """What the view holds of these products; those it does not know are absent."""

    async def save(self, changes: Sequence[Change[S]]) -> None:
        """Write the changes; a row that is as new or newer stays."""


class View(Protocol[S]):
    """A read model. `forgets`: what it held of a product may be gone; else one that is not held is new."""

    forgets: bool

    async def load(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        """The checkpoints of these partitions, which `begin` compares with from now on."""

    def begin(self, reached: Mapping[int, Checkpoint]) -> AbstractAsyncContextManager[BatchWriter[S]]:
        """Start a batch that moves the checkpoints to `reached`. Raises `Fenced`, `Unavailable`."""


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


class EventLog(Protocol):
    """The log itself, read-only: where what Kafka did not deliver is found."""

    async def log_id(self) -> UUID:
        """Which log it is."""

    async def newest_position(self) -> int:
        """The position of the newest event, 0 for an empty log."""

    async def events_after(self, stream_versions: Mapping[UUID, int]) -> Mapping[UUID, list[RecordedEvent]]:
        """Per product all events after the given version, in order."""


class Listener(Protocol[S]):
    """Hears of changes after they are visible. Best effort: never raises, and may be left out by a crash."""

    async def changed(self, changes: Sequence[Change[S]]) -> None: ...


class Control(NamedTuple):
    """What an operator wants of a projection; `revision` rises with each pause and each resume."""

    is_paused: bool
    revision: int
    reason: str = ""
