"""The ports of repositioning: a projection that applies events of the log, and the topic that it reads."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from projector.applying.dead_letters import Action
from shared.contract.recorded_event import RecordedEvent


class Known(NamedTuple):
    """How far a projection is: by partition the log position that it has applied last.

    Partitions without an event are absent. `log_ids`: of which logs; empty if the projection does not know.
    """

    log_positions: Mapping[int, int]
    log_ids: frozenset[UUID] = frozenset()


class Places(NamedTuple):
    """Where the projection is placed: `next_offsets` by partition; all up to `log_position` is applied."""

    next_offsets: Mapping[int, int]
    log_position: int
    log_id: UUID


class Subject(Protocol):
    """One projection that is repositioned. Every method raises `Unavailable`."""

    @property
    def name(self) -> str:
        """The projection's name."""

    async def known(self) -> Known:
        """How far it is now; read again after `Fenced`."""

    async def apply(self, events: Sequence[RecordedEvent]) -> None:
        """Apply or park events of the log, in order. What it has already is dropped. May be repeated.

        Raises `Fenced` if its consumer was faster, and every other `ProjectorError`.
        """

    async def place(self, places: Places, action: Action, detail: str) -> None:
        """In one transaction: its places, a new start of its consumers, and the entry in the audit log.

        Raises `LogDiffers` if it has events of another log.
        """


class TopicEdge(NamedTuple):
    """The ends of a topic: by partition the offset after the last record, and the newest event, if readable,
    as (log id, log position).
    """

    end_offsets: Mapping[int, int]
    newest: Mapping[int, tuple[UUID, int]]


class Topic(Protocol):
    """The topic of all events."""

    async def edge(self) -> TopicEdge:
        """Raises `Unavailable`, also if the topic does not exist."""


class Log(Protocol):
    """The event log, read forwards."""

    async def log_id(self) -> UUID: ...

    async def newest_position(self) -> int: ...

    async def published_position(self) -> int: ...

    async def tail(self, after: int, upto: int, events_max: int) -> list[RecordedEvent]: ...
