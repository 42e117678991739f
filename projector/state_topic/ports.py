"""What publishing states needs from outside; `postgres/` and `kafka/` provide it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID


class State(NamedTuple):
    """One version of one product; `document` None: it is deleted. `log_id`: of the log of the position."""

    product_id: UUID
    stream_version: int
    log_position: int
    recorded_at: datetime
    document: bytes | None
    log_id: UUID | None


class Waiting(NamedTuple):
    """How much of a partition is not published yet, and for how long."""

    states: int
    oldest_seconds: float


class StateTable(Protocol):
    """Which states there are and which of them the topic has. Raises `Unavailable`."""

    async def unpublished(self, partition: int) -> Sequence[State]:
        """The oldest, bounded in number and bytes; empty when the topic has all."""

    async def waiting(self, partitions: Collection[int]) -> Mapping[int, Waiting]:
        """By partition; one in which nothing waits is absent."""

    async def published(self, states: Sequence[State]) -> None:
        """The topic has these for certain."""

    async def topic_lost(self, partitions: Collection[int]) -> None:
        """The topic has nothing of these partitions: all of it is unpublished."""


class StateChannel(Protocol):
    """The right to write one partition, until someone else takes it."""

    async def publish(self, states: Sequence[State]) -> None:
        """All of them or none, and none once another channel of the partition is open.

        Raises `Fenced` or `Unavailable`; then it is not known whether they were published, and the channel is
        good for nothing but `abandon`.
        """

    async def close(self) -> None:
        """Nothing is on its way; never raises."""

    async def abandon(self) -> None:
        """Whatever is on its way; never raises."""


class StateTopic(Protocol):
    """The compacted topic."""

    async def open(self, partition: int) -> StateChannel:
        """From its return on, nobody else's channel of that partition writes. Raises `Unavailable`."""

    async def empty(self, partitions: Collection[int]) -> Collection[int]:
        """Those into which nothing was ever written; makes the topic where it is missing.

        Raises `Unavailable`, or `CannotGoOn` where the topic is not as it must be.
        """
