"""The ports of the status: the read model, the event log, and the counts of this process.

Reads raise `Unavailable` (errors.py).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID


class ProjectionState(NamedTuple):
    """The state of one projection, over all its partitions.

    `partitions_measured`: the number of partitions with a recent lag report. The lags are over all partitions
    that ever had a report; `measured_at` is the time of the oldest one, `reported_seconds_ago` its age.
    `records_passed`: of all partitions, a sum that grows with each record. `updated_at` None: no checkpoint.
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
    records_passed: int | None = None
    reported_seconds_ago: float | None = None


class RebuildState(NamedTuple):
    """How far a rebuild is, as stored. `elapsed_seconds`: from its start to its last progress.
    `silent_seconds`: since then.
    """

    projection: str
    phase: str
    target_position: int
    reached_position: int
    events_done: int
    started_at: datetime
    changed_at: datetime
    elapsed_seconds: float
    silent_seconds: float


class LogState(NamedTuple):
    """The log and its relay. `relay_is_led`: whether a process holds the relay's lock; None: this server is a
    replica and cannot tell. `relay_still_seconds`: since the cursor moved; None: it never did.
    """

    log_id: UUID
    position: int
    relay_position: int
    relay_lag_events: int
    relay_lag_seconds: float
    relay_still_seconds: float | None
    relay_is_led: bool | None


class CacheReads(NamedTuple):
    """Sums since the process began: reads of product documents, and those that a cache answered."""

    hits: int
    reads: int


class ProjectionStates(Protocol):
    """What the projector's tables tell."""

    async def states(self) -> Sequence[ProjectionState]:
        """Of all projections."""
        ...

    async def rebuilds(self) -> Sequence[RebuildState]:
        """Of all projections with a record of one."""
        ...


class LogStates(Protocol):
    """What the event store's tables tell."""

    async def state(self) -> LogState: ...
