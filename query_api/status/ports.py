"""What the status needs from outside, owned here; `postgres.py` provides it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol


class ProjectionState(NamedTuple):
    """How one projection is, over all its partitions.

    `partitions_measured`: of how many its consumers told a moment ago; the lags are over all that they ever
    told of, and `measured_at` is the oldest of these times. `updated_at` None: it keeps no checkpoint.
    """

    projection: str
    log_position: int
    updated_at: datetime | None
    partitions_measured: int
    lag_events: int | None
    lag_seconds: float | None
    measured_at: datetime | None
    partitions_in_trouble: int
    partitions_stopped: int
    is_paused: bool
    parked_products: int
    parked_events: int


class ProjectionStates(Protocol):
    """How all projections are."""

    async def states(self) -> Sequence[ProjectionState]: ...
