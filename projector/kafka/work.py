"""What a consumer reads (`Source`), and what it passes the records to (`Work`)."""

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

    `waits_for_batch`: whether it has a batch wait, as no reader waits for it. At a few hundred events a
    second, most batches would hold one event, and a batch costs about the same with one event or many.
    """

    topic: str
    group: str
    starts_at: StartsAt
    waits_for_batch: bool = False


class Outcome(NamedTuple):
    """The finished items, and by partition the place where the run stopped before the end."""

    done: Sequence[Delivered | Unreadable]
    stopped: Mapping[int, Stop]


class Work(Protocol):
    """The work on the records of one projection."""

    async def place(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        """The checkpoints; partitions without one are absent. Raises `Unavailable`."""

    async def run(
        self, records: Sequence[Record], log_ids: Mapping[int, UUID], abandon: asyncio.Event
    ) -> Outcome:
        """Process the records, with retries, until `abandon` is set. If it raises, they are run again later.

        `log_ids`: the id of the log that each partition's events must have.
        """

    def resumed(self) -> None:
        """An operator has resumed the projection: limits start to count again."""

    def revoked(self) -> None:
        """Another process has the partitions from now on."""
