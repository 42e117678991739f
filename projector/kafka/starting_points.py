"""Where a projection starts to read: at its checkpoint, if the topic still holds what comes after it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Literal, NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from projector.errors import LogDiffers
from projector.ports import Checkpoint, EventLog

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
    load: Callable[[Collection[int]], Awaitable[Mapping[int, Checkpoint]]],
    log: EventLog,
    *,
    starts_at: StartsAt,
) -> dict[TopicPartition, StartingPoint]:
    """One per partition. Raises `Unavailable`, aiokafka's errors, or `LogDiffers`."""
    checkpoints = await load([tp.partition for tp in assigned])
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
            assert log_id is not None
            begin = ends[tp] if starts_at == "committed-or-end" else beginnings[tp]
            point = StartingPoint(await _offset(consumer, tp, begin, starts_at), log_id)
        if not beginnings[tp] <= point.next_offset <= ends[tp]:
            raise LogDiffers(
                f"the projection is at offset {point.next_offset} of {tp.topic}[{tp.partition}], "
                f"which holds {beginnings[tp]} to {ends[tp]}"
            )
        points[tp] = point
    return points


async def _offset(consumer: AIOKafkaConsumer, tp: TopicPartition, begin: int, starts_at: StartsAt) -> int:
    if starts_at == "checkpoint":
        # A topic that begins later has lost what the view lacks: 0 is refused then.
        return 0
    committed: int | None = await consumer.committed(tp)
    if committed is not None:
        return committed
    if starts_at == "committed-or-end":
        # At once, or a crash before the first commit would move the beginning on.
        await consumer.commit({tp: begin})
    return begin
