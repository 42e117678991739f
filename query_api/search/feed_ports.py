"""The ports of the feed: the topic of states, as `kafka/` implements it."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from query_api.search.ports import IndexCheckpoint, IndexedState


class IndexMustBeRebuilt(Exception):
    """The topic does not go on from this index; the text says why. `former_log`: if its log is no more."""

    def __init__(self, reason: str, *, former_log: UUID | None = None) -> None:
        super().__init__(reason)
        self.former_log = former_log


class StatesUnavailable(Exception):
    """The topic does not answer, or does not exist: the same call may succeed later."""


class NoStateTopic(StatesUnavailable):
    """The topic does not exist: no product was ever published."""


class StateRecord(NamedTuple):
    """A state, and the id of the log that its position is of; None: the publisher did not know it."""

    state: IndexedState
    log_id: UUID | None


class ReadStates(NamedTuple):
    """Some records of the topic, in the order of each partition.

    `next_offsets`: of each partition that was read on, the offset after its last record. `drained`: the
    partitions that were read to their end, as far as is known. `document_bytes` counts the documents.
    """

    states: Sequence[StateRecord]
    next_offsets: Mapping[int, int]
    drained: Collection[int]
    document_bytes: int = 0


class TopicLag(NamedTuple):
    """How far the end is away, by partition in offsets, which count markers of transactions, too.

    `silent_seconds`: since when the broker has told nothing.
    """

    offsets: Mapping[int, int]
    silent_seconds: float


class StateReading(Protocol):
    """The topic from one place on. Raises `StatesUnavailable`, `IndexMustBeRebuilt`."""

    ends: Mapping[int, int]
    """By partition the offset after the last record, when the reading began."""
    offset_count: int
    """How many offsets there were up to these ends: not fewer than states."""

    async def read(self, wait_seconds: float, states_max: int) -> ReadStates:
        """What has arrived, up to `states_max`; waits for the first record, but not longer than this."""
        ...

    async def check(self) -> None:
        """Call it now and then: whether the topic still is the one that was read."""
        ...

    def lag(self) -> TopicLag: ...

    async def close(self) -> None:
        """Never raises."""
        ...


class StateTopic(Protocol):
    """The topic of states."""

    async def open(self, checkpoint: IndexCheckpoint | None) -> StateReading:
        """Reads on from the checkpoint; from the beginning without one.

        Raises `StatesUnavailable`, `NoStateTopic`, or `IndexMustBeRebuilt` if the topic lacks what comes
        after the checkpoint, or is another one.
        """
        ...
