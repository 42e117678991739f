"""Waits until a running projection has applied everything up to a position of the log."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from projector.errors import CannotGoOn, Unavailable
from projector.kafka.group_offsets import topic_ends
from shared.kafka.errors import KAFKA_IS_AWAY
from shared.kafka.servers import KafkaServers
from shared.ops.error_text import named

NextOffsets = Callable[[], Awaitable[Mapping[int, int]]]
"""Reads the offset to read next, by partition."""

_LOOK_SECONDS = 0.2


async def wait_until_applied(
    servers: KafkaServers,
    topic: str,
    group: str,
    position: int,
    *,
    published_position: Callable[[], Awaitable[int]],
    next_offsets: NextOffsets | None,
    seconds_max: float,
) -> None:
    """Waits until the relay has published the position, then until the projection is past the topic's end.

    `next_offsets` None: the group's committed offsets are the position. Raises `CannotGoOn` after
    `seconds_max`, `Unavailable`.
    """
    deadline = time.monotonic() + seconds_max
    while await published_position() < position:
        await _pause(deadline, f"the relay has not published the log up to position {position}")
    try:
        ends = (await topic_ends(servers, topic, [])).end_offsets
        while True:
            if next_offsets is None:
                reached = (await topic_ends(servers, topic, [group])).committed[group]
            else:
                reached = dict(await next_offsets())
            behind = [at for at, end in ends.items() if end > 0 and reached.get(at, 0) < end]
            if not behind:
                return
            await _pause(deadline, f"the live view has not reached the end of partitions {behind}")
    except KAFKA_IS_AWAY as error:
        raise Unavailable(f"Kafka: {named(error)}") from error


async def _pause(deadline: float, reason: str) -> None:
    if time.monotonic() > deadline:
        raise CannotGoOn(
            f"{reason}; is it running? Try again; a rebuild with --without-comparison does not wait for it"
        )
    await asyncio.sleep(_LOOK_SECONDS)
