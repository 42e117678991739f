"""Where a projection starts to read: at its checkpoint, if the topic still has the records after it."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Literal, NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from projector.applying.ports import Checkpoint, EventLog
from projector.control.ports import PlaceOrders
from projector.errors import LogDiffers
from projector.kafka.committed_offsets import committed_offsets
from projector.kafka.topic_bounds import Offsets, topic_bounds

StartsAt = Literal["checkpoint", "committed", "committed-view", "committed-or-end"]
"""checkpoint: the view's checkpoint, else the beginning; committed offsets are only for lag tools.
committed: the group's committed offset, else the beginning.
committed-view: the same (a view without checkpoints); an empty topic is a lost one if it has applied events.
committed-or-end: the same, but a new group begins at the end (no mail about old events)."""

Placed = Callable[[Mapping[int, int], Collection[int]], Awaitable[None]]
"""Gets partition -> committed offset, and which of these an operator has ordered."""


def remedy(projection: str) -> str:
    """What helps a projection that is outside of its topic."""
    return f"What helps: python -m projector reposition {projection}"


class StartingPoint(NamedTuple):
    """The next offset to process, and the id of the log that its events must have.

    `log_position`: of the newest event before it, if there is a checkpoint. `first_offset`: of the partition.
    """

    next_offset: int
    log_id: UUID
    log_position: int | None = None
    first_offset: int = 0

    @property
    def witness_offset(self) -> int | None:
        """Of the record that the checkpoint is about, if the topic still has it (`continuity.py`)."""
        before = self.next_offset - 1
        return before if self.log_position is not None and before >= self.first_offset else None

    @property
    def seek_offset(self) -> int:
        """Where reading starts."""
        witness = self.witness_offset
        return self.next_offset if witness is None else witness


class StartingPoints:
    """Of one projection in one topic. `place` loads its checkpoints."""

    def __init__(
        self,
        projection: str,
        place: Callable[[Collection[int]], Awaitable[Mapping[int, Checkpoint]]],
        log: EventLog,
        orders: PlaceOrders,
        *,
        starts_at: StartsAt,
        bounds_seconds_max: float,
        placed: Placed | None = None,
    ) -> None:
        self._projection = projection
        self._place = place
        self._log = log
        self._orders = orders
        self._starts_at = starts_at
        self._bounds_seconds_max = bounds_seconds_max
        self._placed = placed

    async def find(
        self, consumer: AIOKafkaConsumer, assigned: Collection[TopicPartition]
    ) -> dict[TopicPartition, StartingPoint]:
        """One for each partition. Raises `Unavailable`, aiokafka's errors, or `LogDiffers`."""
        partitions = [tp.partition for tp in assigned]
        checkpoints = dict(await self._place(partitions))
        ordered = {} if self._starts_at == "checkpoint" else await self._orders.given(partitions)
        checkpoints |= ordered
        unknown = [tp for tp in assigned if tp.partition not in checkpoints]
        log_id = await self._log.log_id() if unknown else None
        # Read before the ends: while this process is stopped, another one may move both on.
        reads_committed = self._starts_at != "checkpoint" and unknown
        committed = await committed_offsets(consumer, unknown) if reads_committed else {}
        beginnings, ends = await topic_bounds(consumer, assigned, seconds_max=self._bounds_seconds_max)
        new = {tp: self._beginning(tp, beginnings, ends) for tp in unknown if tp not in committed}
        points = {}
        for tp in assigned:
            checkpoint = checkpoints.get(tp.partition)
            if checkpoint is not None:
                offset, position, of_log = checkpoint
                point = StartingPoint(offset, of_log, position, beginnings[tp])
            else:
                assert log_id is not None
                point = StartingPoint({**committed, **new}[tp], log_id)
            self._check(tp, point, beginnings, ends)
            points[tp] = point
        at_once = {tp: points[tp].next_offset for tp in assigned if tp.partition in ordered}
        if self._starts_at == "committed-view":
            await self._refuse_lost_places([tp for tp in new if beginnings[tp] == ends[tp]])
        if new and self._starts_at == "committed-or-end":
            await self._refuse_lost_places(new)
            # Else a crash before the first commit would move the start on.
            at_once |= new
        if at_once:
            await consumer.commit(at_once)
        if self._placed is not None:
            known = [tp for tp in assigned if tp in committed or tp.partition in ordered]
            await self._placed({tp.partition: points[tp].next_offset for tp in known}, ordered.keys())
        if ordered:
            await self._orders.taken(ordered)
        return points

    async def _refuse_lost_places(self, new: Collection[TopicPartition]) -> None:
        """A group that begins at the end would pass over what was not delivered when its place was lost.

        Kafka deletes the places with the topic: in an empty one, nothing would seem to wait.
        """
        if not new:
            return
        reported = await self._orders.reported()
        lost = sorted(tp.partition for tp in new if reported.get(tp.partition))
        if lost:
            raise LogDiffers(
                f"Kafka has lost the places of the group in the partitions {lost}. {remedy(self._projection)}"
            )

    def _check(self, tp: TopicPartition, point: StartingPoint, beginnings: Offsets, ends: Offsets) -> None:
        if not beginnings[tp] <= point.next_offset <= ends[tp]:
            raise LogDiffers(
                f"the projection is at offset {point.next_offset} of {tp.topic}[{tp.partition}], "
                f"which holds {beginnings[tp]} to {ends[tp]}: the topic was lost or created again. "
                f"{remedy(self._projection)}"
            )

    def _beginning(self, tp: TopicPartition, beginnings: Offsets, ends: Offsets) -> int:
        """Where to start in a partition without checkpoint or committed offset."""
        if self._starts_at == "checkpoint":
            # If the topic begins later, events that the view lacks are lost: then 0 is refused.
            return 0
        return ends[tp] if self._starts_at == "committed-or-end" else beginnings[tp]
