"""The port of the status; its adapter is `postgres.py`."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol


class ProjectionState(NamedTuple):
    """The state of one projection, over all its partitions.

    `partitions_measured`: the number of partitions with a recent lag report. The lags are over all partitions
    that ever had a report; `measured_at` is the time of the oldest one. `updated_at` None: no checkpoint.
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
    """The states of all projections."""

    async def states(self) -> Sequence[ProjectionState]: ...
