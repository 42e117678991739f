"""What the use cases need from outside, owned here; `postgres/`, `redis/` and `kafka/` provide it.

The errors that adapters raise stand in `errors.py`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from projector.applying.dead_letters import Parking
from shared.contract.events import ProductEvent
from shared.contract.recorded_event import RecordedEvent

S = TypeVar("S")
"""What a view keeps of one product."""


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


class BatchWriter(Parking, Protocol[S]):
    """One batch in the making; what it saves becomes visible when its context ends without an error."""

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[S]]:
        """What the view holds of these products; those it does not know are absent."""

    async def save(self, changes: Sequence[Change[S]]) -> None:
        """Write the changes; a row that is as new or newer stays."""


class View(Protocol[S]):
    """A read model. `forgets`: what it held of a product may be gone; else one that is not held is new."""

    forgets: bool

    async def checkpoints(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        """The checkpoints of these partitions, which `begin` compares with from now on."""

    def begin(self, reached: Mapping[int, Checkpoint]) -> AbstractAsyncContextManager[BatchWriter[S]]:
        """Start a batch that moves the checkpoints to `reached`. Raises `Fenced`, `Unavailable`."""


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
