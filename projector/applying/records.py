"""Records as Kafka delivered them, the events in them, and the error classes."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from shared.contract.recorded_event import RecordedEvent

ErrorClass = Literal[
    "unreadable-record",  # a header, the key or the value cannot be read, so the event is not known
    "undecodable",  # the body does not fit its type and schema version
    "unknown-schema-version",
    "history-does-not-fold",  # the event cannot follow the product's earlier events
    "refused-by-store",  # a value or constraint error
    "unknown",  # any other error that lasted longer than its retry budget
    "other-log",  # an event of another log: not parked unless ordered; the projection stops
    "ordered",  # an operator ordered to park it
    "mail-refused",  # the mail server refused it for good
    "mail-not-sent",  # not sent for certain, and all retries are used up
    "mail-outcome-unknown",  # perhaps sent: only an operator may send it again
    "follower",  # did not fail itself: an earlier event of its product is parked
]


class SourceRecord(Protocol):
    """A Kafka record with its bytes unchanged. `timestamp` is in milliseconds since 1970."""

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
    """A `SourceRecord` that did not come from Kafka: made from the log, or stored for a later attempt."""

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
    """A record that is no event; `product_id` is from its key, if that is an id."""

    partition: int
    offset: int
    product_id: UUID | None
    log_id: UUID
    record: SourceRecord
    error_class: ErrorClass
    cause: str
