"""Where a projection starts to read: at its checkpoint, if the topic still holds what comes after it."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Literal, NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from projector.applying.ports import Checkpoint, EventLog
from projector.errors import LogDiffers
from projector.kafka.committed_offsets import committed_offsets
from projector.kafka.topic_bounds import topic_bounds

StartsAt = Literal["checkpoint", "committed", "committed-or-end"]
"""checkpoint: what the view says, else the beginning; what is committed is for lag tools.
committed: the group's committed offset, else the beginning (a view without checkpoints).
committed-or-end: the same, but a new group begins with what comes next (no mail for what is past)."""


class StartingPoint(NamedTuple):
    """The offset to read next and the log that the events must be of."""

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
    """One per partition. Raises `Unavailable`, aiokafka's errors, or `LogDiffers`."""
    checkpoints = await place([tp.partition for tp in assigned])
    unknown = [tp for tp in assigned if tp.partition not in checkpoints]
    log_id = await log.log_id() if unknown else None
    # Before the ends: whoever has the partition meanwhile, while we are stopped, moves both of them on.
    committed = await committed_offsets(consumer, unknown) if starts_at != "checkpoint" and unknown else {}
    beginnings, ends = await topic_bounds(consumer, assigned, seconds_max=bounds_seconds_max)
    new = {tp: _beginning(tp, beginnings, ends, starts_at) for tp in unknown if tp not in committed}
    if new and starts_at == "committed-or-end":
        # At once, or a crash before the first commit would move the beginning on.
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
    """Of a partition that nothing is known of."""
    if starts_at == "checkpoint":
        # A topic that begins later has lost what the view lacks: 0 is refused then.
        return 0
    return ends[tp] if starts_at == "committed-or-end" else beginnings[tp]
