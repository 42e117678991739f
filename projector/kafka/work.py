"""What a consumer is told to read, and what it hands the records to."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from projector.applying.ports import Checkpoint
from projector.applying.records import Delivered, Unreadable
from projector.kafka.placement import Stop
from projector.kafka.records import Record
from projector.kafka.starting_points import StartsAt


class Source(NamedTuple):
    """One topic for one consumer group.

    `gathers`: what nobody waits for is worth a short wait of its own. At a few hundred events a second, most
    batches would hold one event, and a batch costs about the same whatever it holds.
    """

    topic: str
    group: str
    starts_at: StartsAt
    waits_for_batch: bool = False


class Outcome(NamedTuple):
    """What is done for good, and by partition where it stopped before the end."""

    done: Sequence[Delivered | Unreadable]
    stopped: Mapping[int, Stop]


class Work(Protocol):
    """What is done with the records of one projection."""

    async def place(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        """Where to go on, by partition; those without a checkpoint are absent. Raises `Unavailable`."""

    async def run(
        self, records: Sequence[Record], log_ids: Mapping[int, UUID], abandon: asyncio.Event
    ) -> Outcome:
        """Do it, with patience, until `abandon` is set. What it raises is given again later.

        `log_ids`: the log that each partition's events must be of.
        """

    def resumed(self) -> None:
        """An operator has looked: limits count anew."""

    def revoked(self) -> None:
        """The partitions are someone else's from now on."""
