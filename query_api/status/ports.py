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


class DeadLetterPosition(NamedTuple):
    """A place in the list of dead letters, which is in the order of these fields."""

    parked_at: datetime
    projection: str
    key: str


class DeadLetter(NamedTuple):
    """A parked product, by its first event; or a record that is parked alone, without a product. `cause`
    None: readers may not see it. `followers`: events of the product that wait behind the first.
    """

    projection: str
    product_id: UUID | None
    dead_letter_id: int | None
    log_position: int | None
    event_type: str | None
    error_class: str
    cause: str | None
    parked_at: datetime
    followers: int
    attempts: int
    key: str

    @property
    def position(self) -> DeadLetterPosition:
        """Where a page that ends with it ends."""
        return DeadLetterPosition(self.parked_at, self.projection, self.key)


class StreamPlace(NamedTuple):
    """A product's newest event, and how far the relay has published the log."""

    stream_version: int
    log_position: int
    relay_position: int


class ProjectionPlace(NamedTuple):
    """How far a projection is in the partition of a product, and the version of it that it has."""

    projection: str
    log_position: int
    is_parked: bool
    version: int | None


class ProjectionPlaces(NamedTuple):
    """All projections, and the version of the product in the topic of states; None: not published."""

    projections: Sequence[ProjectionPlace]
    state_version: int | None


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


class DeadLetters(Protocol):
    """What is parked."""

    async def page(
        self, projection: str | None, after: DeadLetterPosition | None, limit: int
    ) -> Sequence[DeadLetter]: ...


class StreamPlaces(Protocol):
    """What the event store tells of one product."""

    async def place(self, product_id: UUID) -> StreamPlace | None:
        """None: there is no such product."""
        ...


class ProductPlaces(Protocol):
    """What the read model tells of one product."""

    async def places(self, product_id: UUID) -> ProjectionPlaces: ...
