"""What the use cases need from outside, and the errors that adapters translate their drivers' into.

ProjectorError
+-- Unavailable          transient: a server is away, busy or behind; wait, nothing is lost, nothing is parked
+-- Fenced               someone else moved this projection's checkpoint: reload it and go on from there
+-- Refused              permanent: the store will never take these values; the event is found and parked
+-- ParkingIsFull        so much cannot be applied that it is no single bad event: pause, and say so
+-- CannotGoOn           this much stops, loudly, and the rest goes on; the text says what to do
    +-- LogLacksVersions the log has not what a delivered event says came before it: its partition stops
    +-- LogDiffers       the topic and the checkpoint do not speak of the same log: the projection stops

Anything else is unknown: tried again like a transient error, until its budget ends; then the event is parked.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar
from uuid import UUID

from shared.contract.events import ProductEvent
from shared.contract.recorded_event import RecordedEvent

S = TypeVar("S")
"""What a view keeps of one product."""


class ProjectorError(Exception):
    """The root; never raised itself."""


class Unavailable(ProjectorError):
    """The same call may succeed later, unchanged."""


class Fenced(ProjectorError):
    """Another instance owns one of the partitions now, or moved past us: nothing was written."""


class Refused(ProjectorError):
    """A value or constraint error of the store: nothing was written."""


class ParkingIsFull(ProjectorError):
    """A bound of parking is reached, or the breaker is open: nothing was written."""


class CannotGoOn(ProjectorError):
    """Waiting will not help and skipping would be wrong."""


class LogDiffers(CannotGoOn):
    """Another log, or a topic that begins after or ends before the checkpoint."""


class LogLacksVersions(CannotGoOn):
    """Raised at the delivered event before which versions are missing everywhere."""

    def __init__(self, partition: int, offset: int, cause: str) -> None:
        super().__init__(cause)
        self.partition = partition
        self.offset = offset


class SourceRecord(Protocol):
    """A Kafka record as it came, bytes untouched. `timestamp` is in milliseconds since 1970."""

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


class Parking(Protocol):
    """The part of a batch's transaction that parks."""

    async def still_parked(self, product_ids: Collection[UUID]) -> set[UUID]:
        """Those that are parked, locked until the batch ends: nobody drains them meanwhile."""

    async def park(self, letters: Sequence[Letter]) -> None:
        """Keep them. Raises `ParkingIsFull` at a bound. A letter that is there already stays as it is."""


class BatchWriter(Parking, Protocol[S]):
    """One batch in the making; what it saves becomes visible when its context ends without an error."""

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[S]]:
        """What the view holds of these products; those it does not know are absent."""

    async def save(self, changes: Sequence[Change[S]]) -> None:
        """Write the changes; a row that is as new or newer stays."""


class View(Protocol[S]):
    """A read model that a projection writes."""

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
