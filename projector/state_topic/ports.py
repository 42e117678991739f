"""The ports of publishing states; `postgres.py` and `kafka/` implement them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID


class State(NamedTuple):
    """One version of one product; `document` None: it is deleted. `log_id`: the log of its position."""

    product_id: UUID
    stream_version: int
    log_position: int
    recorded_at: datetime
    document: bytes | None
    log_id: UUID | None


class Portion(NamedTuple):
    """The oldest unpublished states of a partition; `are_all` False: more waited when they were read."""

    states: Sequence[State]
    are_all: bool


class Waiting(NamedTuple):
    """How many states of a partition are not published yet, and since when."""

    states: int
    oldest_seconds: float


class StateTable(Protocol):
    """The states, and which of them the topic has. Raises `Unavailable`."""

    async def unpublished(self, partitions: Collection[int]) -> Mapping[int, Portion]:
        """A portion of each of these partitions; empty if the topic has all.

        Together they are limited in number and bytes of states, but at least one of each comes.
        """

    async def waiting(self, partitions: Collection[int]) -> Mapping[int, Waiting]:
        """By partition; one without unpublished states is absent."""

    async def published(self, states: Sequence[State]) -> None:
        """Mark these as published: Kafka has confirmed them."""

    async def topic_lost(self, partitions: Collection[int]) -> None:
        """The topic has lost these partitions: mark all their states as unpublished."""


class StateChannel(Protocol):
    """The right to write one partition, until another process takes it over."""

    async def publish(self, states: Sequence[State]) -> None:
        """Publishes all of them or none; none after another channel of the partition is open.

        Raises `Fenced` or `Unavailable`; then it is not known whether they were published, and the channel
        can only be abandoned.
        """

    async def close(self) -> None:
        """Call it while nothing is being published; never raises."""

    async def abandon(self) -> None:
        """Close it, also while something is being published; never raises."""


class StateTopic(Protocol):
    """The compacted topic."""

    async def open(self, partition: int) -> StateChannel:
        """After it returns, no other channel of that partition can write. Raises `Unavailable`."""

    async def empty(self, partitions: Collection[int]) -> Collection[int]:
        """The partitions that nothing was ever written to; creates the topic if it is missing.

        Raises `Unavailable`, or `CannotGoOn` if the topic has wrong settings.
        """
