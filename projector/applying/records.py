"""Records as Kafka delivered them, what was read from them, and why one cannot be applied."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from shared.contract.recorded_event import RecordedEvent

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
    error_class: ErrorClass
    cause: str
