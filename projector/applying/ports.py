"""The ports of applying. Views and caches implement them in `projector/views`, the log in `postgres.py`.

The errors that adapters raise are in `projector/errors.py`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from projector.applying.dead_letters import Parking
from shared.contract.events import ProductEvent
from shared.contract.recorded_event import RecordedEvent

S = TypeVar("S")
"""The state of one product in a view."""


class Checkpoint(NamedTuple):
    """How far a projection is in one partition: the offset to read next, the log position applied last."""

    next_offset: int
    log_position: int
    log_id: UUID


class Fold(NamedTuple, Generic[S]):
    """The pure part of one projection. Types that are not in `event_types` only change the stream version."""

    event_types: frozenset[str]
    apply: Callable[[S | None, ProductEvent, RecordedEvent], S | None]
    skip: Callable[[S, RecordedEvent], S]


class Held(NamedTuple, Generic[S]):
    """A product as the view has it; `state` None: it is deleted."""

    stream_version: int
    state: S | None


class Change(NamedTuple, Generic[S]):
    """The change that a batch makes to one product.

    `before` None: the view did not have it. `after` None: it is deleted, and `last` is what it was (a
    tombstone row keeps its slug and name).
    """

    product_id: UUID
    stream_version: int
    log_position: int
    before: S | None
    after: S | None
    last: S


class BatchWriter(Parking, Protocol[S]):
    """The transaction of one batch; its changes are visible when its context ends without an error."""

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[S]]:
        """These products as the view has them; unknown ones are absent."""

    async def save(self, changes: Sequence[Change[S]]) -> None:
        """Write the changes; a row that is as new or newer stays."""


class Shortcut(Protocol[S]):
    """Applies an ordinary batch in two exchanges, without a transaction around them. Raises `Unavailable`."""

    async def held(
        self, reached: Mapping[int, Checkpoint], product_ids: Collection[UUID]
    ) -> Mapping[UUID, Held[S]] | None:
        """These products as the view has them; unknown ones are absent. None: take a transaction."""

    async def save(
        self, reached: Mapping[int, Checkpoint], held: Mapping[UUID, Held[S]], changes: Sequence[Change[S]]
    ) -> bool:
        """Move the checkpoints to `reached` and write all changes, at least one.

        False: nothing was written, because a checkpoint was moved by another process, a product is not as
        `held` says any more, the store refuses a value, or these changes need several statements.
        """


class View(Protocol[S]):
    """A view. `forgets`: it may lose products, like a cache; else a product that it does not have is new."""

    forgets: bool

    @property
    def shortcut(self) -> Shortcut[S] | None:
        """For ordinary batches; None: every batch needs `begin`."""

    async def checkpoints(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        """The checkpoints of these partitions, which `begin` compares with from now on."""

    def begin(self, reached: Mapping[int, Checkpoint]) -> AbstractAsyncContextManager[BatchWriter[S]]:
        """Start a batch that moves the checkpoints to `reached`. Raises `Fenced`, `Unavailable`."""


class WaitingEvent(NamedTuple):
    """An event of the log without its contents."""

    log_position: int
    product_id: UUID
    recorded_at: datetime


class EventLog(Protocol):
    """The event log, read-only: for events that Kafka did not deliver."""

    async def log_id(self) -> UUID:
        """The id of the log."""

    async def newest_position(self) -> int:
        """The position of the newest event, 0 for an empty log."""

    async def events_after(self, stream_versions: Mapping[UUID, int]) -> Mapping[UUID, list[RecordedEvent]]:
        """Per product all events after the given version, in order."""


class Listener(Protocol[S]):
    """Gets changes after they are visible. Best effort: never raises, and a crash may leave changes out."""

    async def changed(self, changes: Sequence[Change[S]]) -> None: ...
