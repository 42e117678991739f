"""What the use case needs from outside, and the errors that adapters translate their drivers' into.

ProjectorError
+-- Unavailable          a server is away, busy or behind: wait, nothing is lost
+-- Fenced               someone else moved this projection's checkpoint: reload it and go on from there
+-- Refused              the store will never take these values: find the event and stop before it
+-- CannotGoOn           this projection stops, loudly, and others go on; the text says what to do
    +-- EventFailed      one event can never be applied; what came before it is
    +-- LogDiffers       the topic and the checkpoint do not speak of the same log
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol
from uuid import UUID

from shared.contract.recorded_event import RecordedEvent
from shared.contract.views import ProductDocument


class ProjectorError(Exception):
    """The base; never raised itself."""


class Unavailable(ProjectorError):
    """The same call may succeed later, unchanged."""


class Fenced(ProjectorError):
    """Another instance owns one of the partitions now, or moved past us: nothing was written."""


class Refused(ProjectorError):
    """A value or constraint error of the store: nothing was written."""


class CannotGoOn(ProjectorError):
    """Waiting will not help and skipping would be wrong."""


class LogDiffers(CannotGoOn):
    """Another log, or a topic that begins after or ends before the checkpoint."""


class Delivered(NamedTuple):
    """One event as Kafka delivered it; `offset` is of its partition of `products-events`."""

    partition: int
    offset: int
    event: RecordedEvent
    log_id: UUID


class EventFailed(CannotGoOn):
    """`batch_index` is the event's place in the batch: everything before it can be applied."""

    def __init__(self, delivered: Delivered, batch_index: int, cause: str) -> None:
        super().__init__(cause)
        self.delivered = delivered
        self.batch_index = batch_index


class Checkpoint(NamedTuple):
    """How far a projection is in one partition: the offset to read next, the log position applied last."""

    next_offset: int
    log_position: int
    log_id: UUID


class Held(NamedTuple):
    """What a view holds of a product; `document` None: it is deleted."""

    stream_version: int
    document: ProductDocument | None


class Change(NamedTuple):
    """What a batch does to one product.

    `before` None: the view held nothing of it. `after` None: it is deleted, and `last` is what it was (a
    tombstone row keeps its slug and name).
    """

    product_id: UUID
    stream_version: int
    log_position: int
    before: ProductDocument | None
    after: ProductDocument | None
    last: ProductDocument


class BatchWriter(Protocol):
    """One batch in the making; what it saves becomes visible when its context ends without an error."""

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held]:
        """What the view holds of these products; those it does not know are absent."""

    async def save(self, changes: Sequence[Change]) -> None:
        """Write the changes; a row that is as new or newer stays."""


class View(Protocol):
    """A read model that a projection writes."""

    async def load(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        """The checkpoints of these partitions, which `begin` compares with from now on."""

    def begin(self, reached: Mapping[int, Checkpoint]) -> AbstractAsyncContextManager[BatchWriter]:
        """Start a batch that moves the checkpoints to `reached`. Raises `Fenced`, `Unavailable`."""


class EventLog(Protocol):
    """The log itself, read-only: where what Kafka did not deliver is found."""

    async def log_id(self) -> UUID:
        """Which log it is."""

    async def newest_position(self) -> int:
        """The position of the newest event, 0 for an empty log."""

    async def events_after(self, stream_versions: Mapping[UUID, int]) -> Mapping[UUID, list[RecordedEvent]]:
        """Per product all events after the given version, in order."""


class ListGenerations(Protocol):
    """The counters that cached lists hang on."""

    async def bump(self, top_categories: Collection[str]) -> None:
        """Make cached lists of all products and of these categories stale. Best effort: never raises."""
