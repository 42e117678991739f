"""A projection whose rows are published: tells the publisher which partitions it has, and what is new."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from projector.applying.ports import Checkpoint
from projector.kafka.records import Record
from projector.kafka.work import Outcome, Work
from projector.state_topic.publish import StatePublisher


class PublishingRun:
    """A `Work` around another one."""

    def __init__(self, applying: Work, publisher: StatePublisher) -> None:
        self._applying = applying
        self._publisher = publisher

    async def place(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        points = await self._applying.place(partitions)
        self._publisher.own(partitions)
        return points

    async def run(
        self, records: Sequence[Record], log_ids: Mapping[int, UUID], abandon: asyncio.Event
    ) -> Outcome:
        # Before they are applied: the publisher may find their rows before this batch ends.
        self._publisher.awaited.expect(records, log_ids)
        outcome = await self._applying.run(records, log_ids, abandon)
        self._publisher.wake({item.partition for item in outcome.done})
        return outcome

    def resumed(self) -> None:
        self._applying.resumed()

    def revoked(self) -> None:
        self._applying.revoked()
        self._publisher.release()
