"""What the relay needs from outside: the tail of a log that it holds alone, somewhere to publish, and a hint.

RelayError
+-- LogUnavailable    PostgreSQL is away: wait, connect and take the lock anew
+-- Deposed           another relay may be active: stop at once, then take the lock anew
+-- PublishFailed     Kafka did not confirm in time or refused for now: a new publisher, from the cursor
+-- OperatorNeeded    Kafka will never take it like this: stand still, loudly; never skip
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from shared.contract.recorded_event import RecordedEvent


class RelayError(Exception):
    """Why the relay stopped forwarding; nothing is lost, the cursor stands before what is unconfirmed."""


class LogUnavailable(RelayError):
    """The log cannot be read or the cursor not be moved now."""


class Deposed(RelayError):
    """The lock's connection is gone, or the cursor is not where this relay left it."""


class PublishFailed(RelayError):
    """What was not confirmed may or may not be in Kafka."""


class OperatorNeeded(RelayError):
    """An event that Kafka refuses for good, or topics that are not as this service needs them."""


class Published(NamedTuple):
    """How many of a chunk's events are confirmed, counted from its start without a hole; why not all."""

    confirmed_events: int
    failure: RelayError | None = None


class Chunk(NamedTuple):
    """Events on their way, and what the publisher made of them beforehand."""

    events: Sequence[RecordedEvent]
    prepared: Any


class LogTail(Protocol):
    """One session with the log. Every method but `close` raises `LogUnavailable`."""

    @property
    def log_id(self) -> bytes:
        """The event store's UUID as ASCII text."""

    async def try_lock(self) -> bool:
        """Become the one active relay of this log, until `lost` returns. False: another one is."""

    async def read_cursor(self) -> int:
        """The log position up to which all is confirmed; 0 before the first event."""

    async def read_after(self, log_position: int) -> Sequence[RecordedEvent]:
        """The next chunk in log order; empty at the end. Raises `OperatorNeeded` for a row it cannot read."""

    async def move_cursor(self, old: int, new: int) -> None:
        """Compare and set. Raises `Deposed` when the cursor is not at `old`."""

    async def lost(self) -> None:
        """Returns when the session, and with it the lock, is gone."""

    async def close(self) -> None:
        """End the session and free the lock; never raises."""


class Publisher(Protocol):
    """Used once: started, publishing until the first failure, stopped."""

    async def start(self) -> None:
        """Verify the topics and connect. Raises `PublishFailed` or `OperatorNeeded`."""

    def prepare(self, events: Sequence[RecordedEvent]) -> Chunk:
        """Encode a chunk, which costs as much time as sending it: done while the one before is on its way."""

    async def publish(self, chunk: Chunk) -> Published:
        """Send a chunk in order per product and wait, bounded, until it is confirmed. Never raises."""

    async def stop(self) -> None:
        """Let go of what is unconfirmed and disconnect, within a bound; never raises."""


class AppendSignal(Protocol):
    """Something that may say that there is more to read; it may also be silent for ever."""

    async def wait(self, seconds_max: float) -> None:
        """Until a hint came since the last call, or `seconds_max` passed."""
