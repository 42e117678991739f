"""Counts in the log how far a projection is behind, where Kafka cannot tell.

Kafka's ends are missing while it is away, and mean nothing after it has lost the topic. The log knows better:
what waits are the events after the position that was applied last, in the partition of each product.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from projector.applying.ports import WaitingEvent
from shared.contract.addresses import partition_of

EVENTS_COUNTED_MAX = 10_000
"""Further ones are not counted by partition: they are shared out evenly."""


class CountedLag(NamedTuple):
    """In one partition: the events that are not applied, and the age of the oldest in seconds."""

    log_position: int
    lag_events: int
    lag_seconds: float


class CountedLog(Protocol):
    """The log, for counting. Raises `Unavailable`."""

    async def newest_position(self) -> int: ...

    async def waiting_after(self, position: int, events_max: int) -> Sequence[WaitingEvent]: ...


async def count_lag(
    log: CountedLog, positions: Mapping[int, int], partition_count: int
) -> dict[int, CountedLag]:
    """By partition. `positions`: the newest that are applied; a partition without one has applied nothing."""
    known = {partition: positions.get(partition, 0) for partition in range(partition_count)}
    newest = await log.newest_position()
    events = await log.waiting_after(min(known.values()), EVENTS_COUNTED_MAX)
    counts = dict.fromkeys(known, 0)
    oldest: dict[int, datetime] = {}
    for event in events:
        partition = partition_of(event.product_id, partition_count)
        if event.log_position > known[partition]:
            counts[partition] += 1
            oldest.setdefault(partition, event.recorded_at)
    last = events[-1].log_position if len(events) == EVENTS_COUNTED_MAX else newest
    uncounted = max(0, newest - last) // partition_count
    now = datetime.now(UTC)
    return {
        partition: CountedLag(
            position,
            counts[partition] + (uncounted if position < newest else 0),
            max(0.0, (now - oldest.get(partition, now)).total_seconds()),
        )
        for partition, position in known.items()
    }
