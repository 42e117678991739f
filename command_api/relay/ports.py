"""The ports of the relay: the tail of the log (with its lock), a publisher, and a hint that events arrived.

RelayError
+-- LogUnavailable    PostgreSQL is unavailable: wait, connect and take the lock again
+-- RelayReplaced     another relay may be active: stop at once, then wait for the lock
+-- PublishFailed     Kafka did not confirm in time, or refused for now: a new publisher, from the cursor
+-- OperatorNeeded    Kafka will always refuse this: stop, log it as critical, and never skip an event
"""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from shared.contract.recorded_event import RecordedEvent


class RelayError(Exception):
    """Why the relay stopped publishing. Nothing is lost: the cursor is before the unconfirmed events."""

    reason: ClassVar[str]
    """The label in `relay_restarts_total` and in logs."""


class LogUnavailable(RelayError):
    """The log cannot be read, or the cursor cannot be moved, at the moment."""

    reason = "log_unavailable"


class RelayReplaced(RelayError):
    """The lock's connection is lost, or another process has moved the cursor."""

    reason = "replaced"


class PublishFailed(RelayError):
    """Unconfirmed events may or may not be in Kafka."""

    reason = "publish_failed"


class OperatorNeeded(RelayError):
    """Kafka will never accept an event, or the topics are not as this service needs them."""

    reason = "operator_needed"


class Published(NamedTuple):
    """How many events from the start of a chunk are confirmed without a gap, and the failure if not all
    are.
    """

    confirmed_events: int
    failure: RelayError | None = None


class Chunk(NamedTuple):
    """Events to publish, and the batches that the publisher has prepared from them."""

    events: Sequence[RecordedEvent]
    prepared: Any


class LogTail(Protocol):
    """One session with the log. Every method but `close` raises `LogUnavailable`."""

    @property
    def log_id(self) -> bytes:
        """The event store's UUID as ASCII text."""

    async def try_lock(self) -> bool:
        """Become the one active relay of this log, until `lost` returns. False: another relay is active."""

    async def read_cursor(self) -> int:
        """The log position up to which Kafka has confirmed all events; 0 before the first event."""

    async def read_after(self, log_position: int) -> Sequence[RecordedEvent]:
        """The next chunk in log order; empty at the end. Raises `OperatorNeeded` for a row it cannot read."""

    async def move_cursor(self, old: int, new: int) -> None:
        """Compare and set. Raises `RelayReplaced` when the cursor is not at `old`."""

    async def lost(self) -> None:
        """Returns when the session, and the lock with it, is lost."""

    async def close(self) -> None:
        """End the session and free the lock; never raises."""


class Publisher(Protocol):
    """Used once: start, publish until the first failure, stop."""

    async def start(self, published: Sequence[RecordedEvent] = ()) -> None:
        """Verify the topics and connect. Raises `PublishFailed` or `OperatorNeeded`.

        `published`: the beginning of the log, as far as it is published. If there is any, a missing topic has
        been lost, and is not created.
        """

    async def check(self, published: Sequence[RecordedEvent]) -> None:
        """Whether the topics still have what was published. Raises `PublishFailed`, `OperatorNeeded`."""

    async def newest(self) -> RecordedEvent | None:
        """The newest event of this log that the topics have. Raises `PublishFailed`."""

    def prepare(self, events: Sequence[RecordedEvent]) -> Chunk:
        """Encode a chunk. This takes as long as sending it, so it is done while the previous chunk is
        sent.
        """

    async def publish(self, chunk: Chunk) -> Published:
        """Send a chunk in order per product and wait, bounded, until it is confirmed. Never raises."""

    async def stop(self) -> None:
        """Give up unconfirmed events and disconnect, within a time limit; never raises."""


class AppendSignal(Protocol):
    """A hint that there are new events; it may also never come."""

    @property
    def is_connected(self) -> bool:
        """Whether hints that are sent now arrive, as far as is known."""

    async def wait(self, seconds_max: float) -> bool:
        """Wait until a hint has come since the last call, or `seconds_max` have passed. Whether one came."""
