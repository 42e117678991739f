"""Where a projection starts to read: at its checkpoint, if the topic still holds what comes after it."""

import asyncio
from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from projector.ports import EventLog, LogDiffers, View


class StartingPoint(NamedTuple):
    """The offset to read next and the log that the events must be of."""

    next_offset: int
    log_id: UUID


async def starting_points(
    consumer: AIOKafkaConsumer,
    assigned: Collection[TopicPartition],
    view: View,
    log: EventLog,
    *,
    position_is_committed: bool,
) -> dict[TopicPartition, StartingPoint]:
    """One per assigned partition. Raises `Unavailable`, aiokafka's errors, or `LogDiffers`.

    `position_is_committed`: the group's committed offset is the position (a view without checkpoints);
    otherwise what is committed is for lag tools, and a partition without a checkpoint starts at 0.
    """
    checkpoints = await view.load([tp.partition for tp in assigned])
    log_id = None if len(checkpoints) == len(assigned) else await log.log_id()
    beginnings, ends = await asyncio.gather(
        consumer.beginning_offsets(assigned), consumer.end_offsets(assigned)
    )
    points = {}
    for tp in assigned:
        checkpoint = checkpoints.get(tp.partition)
        if checkpoint is not None:
            point = StartingPoint(checkpoint.next_offset, checkpoint.log_id)
        else:
            committed = await consumer.committed(tp) if position_is_committed else 0
            assert log_id is not None
            point = StartingPoint(beginnings[tp] if committed is None else committed, log_id)
        if not beginnings[tp] <= point.next_offset <= ends[tp]:
            raise LogDiffers(
                f"the projection is at offset {point.next_offset} of {tp.topic}[{tp.partition}], "
                f"which holds {beginnings[tp]} to {ends[tp]}"
            )
        points[tp] = point
    return points
