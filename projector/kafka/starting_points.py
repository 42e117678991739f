"""Where a projection starts to read: at its checkpoint, if the topic still has the records after it."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Literal, NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from projector.applying.ports import Checkpoint, EventLog
from projector.errors import LogDiffers
from projector.kafka.committed_offsets import committed_offsets
from projector.kafka.topic_bounds import topic_bounds

StartsAt = Literal["checkpoint", "committed", "committed-or-end"]
"""checkpoint: the view's checkpoint, else the beginning; committed offsets are only for lag tools.
committed: the group's committed offset, else the beginning (a view without checkpoints).
committed-or-end: the same, but a new group begins at the end (no mail about old events)."""


class StartingPoint(NamedTuple):
    """The next offset to read, and the id of the log that its events must have."""

    next_offset: int
    log_id: UUID


async def starting_points(
    consumer: AIOKafkaConsumer,
    assigned: Collection[TopicPartition],
    place: Callable[[Collection[int]], Awaitable[Mapping[int, Checkpoint]]],
    log: EventLog,
    *,
    starts_at: StartsAt,
    bounds_seconds_max: float,
) -> dict[TopicPartition, StartingPoint]:
    """One for each partition. Raises `Unavailable`, aiokafka's errors, or `LogDiffers`."""
    checkpoints = await place([tp.partition for tp in assigned])
    unknown = [tp for tp in assigned if tp.partition not in checkpoints]
    log_id = await log.log_id() if unknown else None
    # Read before the ends: while this process is stopped, another one may move both on.
    committed = await committed_offsets(consumer, unknown) if starts_at != "checkpoint" and unknown else {}
    beginnings, ends = await topic_bounds(consumer, assigned, seconds_max=bounds_seconds_max)
    new = {tp: _beginning(tp, beginnings, ends, starts_at) for tp in unknown if tp not in committed}
    if new and starts_at == "committed-or-end":
        # Committed at once; else a crash before the first commit would move the start on.
        await consumer.commit(new)
    points = {}
    for tp in assigned:
        checkpoint = checkpoints.get(tp.partition)
        if checkpoint is not None:
            point = StartingPoint(checkpoint.next_offset, checkpoint.log_id)
        else:
            assert log_id is not None
            point = StartingPoint({**committed, **new}[tp], log_id)
        if not beginnings[tp] <= point.next_offset <= ends[tp]:
            raise LogDiffers(
                f"the projection is at offset {point.next_offset} of {tp.topic}[{tp.partition}], "
                f"which holds {beginnings[tp]} to {ends[tp]}"
            )
        points[tp] = point
    return points


def _beginning(
    tp: TopicPartition,
    beginnings: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    starts_at: StartsAt,
) -> int:
    """Where to start in a partition without checkpoint or committed offset."""
    if starts_at == "checkpoint":
        # If the topic begins later, events that the view lacks are lost: then 0 is refused.
        return 0
    return ends[tp] if starts_at == "committed-or-end" else beginnings[tp]
