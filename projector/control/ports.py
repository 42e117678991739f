"""Between a running projector and its operators: pause and resume, lag, counts of dead letters."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from projector.applying.dead_letters import Action
from projector.applying.ports import Checkpoint


class Control(NamedTuple):
    """Whether a projection is paused; `revision` rises with each pause and each resume."""

    is_paused: bool
    revision: int
    reason: str = ""


WAITS_FOR_KAFKA = "waits for Kafka: "
"""Begins the trouble in a report of a process that has no partitions, because it is not in the group."""

NEVER_PAUSED = Control(is_paused=False, revision=0)


class ParkedCount(NamedTuple):
    """How many dead letters a projection has, of how many products, and the age of the oldest."""

    products: int
    events: int
    oldest_seconds: float


class PartitionLag(NamedTuple):
    """How far behind a projection is in one partition. `trouble`: why it does not go on; None: it does.

    `log_id`: the log of the position; None: not known, or no event was applied.
    """

    partition: int
    log_position: int
    next_offset: int
    lag_events: int
    lag_seconds: float
    trouble: str | None
    log_id: UUID | None = None


class LagReport(NamedTuple):
    """What a consumer measured: the partitions of one topic."""

    projection: str
    topic: str
    lags: Sequence[PartitionLag]


class LastReport(NamedTuple):
    """What was told last of one partition. `is_by_reader`: just now, by the process that reads it."""

    next_offset: int
    is_by_reader: bool


class ControlBoard(Protocol):
    """Where operators request pause and resume, and projections report their state. Raises `Unavailable`."""

    async def wanted(self) -> Mapping[str, Control]:
        """By projection; one that was never paused or resumed is absent."""

    async def set(self, projection: str, action: Action, *, is_paused: bool) -> None:
        """Pause or resume."""

    async def tell(self, reports: Sequence[LagReport]) -> None:
        """Store the lags that the consumers of a process measured, for `status`."""

    async def last_reports(
        self, projection: str, topic: str, *, seconds_max: float
    ) -> Mapping[int, LastReport]:
        """By partition; one that was never reported is absent. Older than `seconds_max` is not just now."""

    async def counts(self) -> Mapping[str, ParkedCount]:
        """By projection; one without dead letters is absent."""


class PlaceOrders(Protocol):
    """Where a consumer begins after `reposition`, if its group keeps the place: only a member can move it.

    Of one projection in one topic. Raises `Unavailable`.
    """

    async def given(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        """Where to begin; partitions without an order are absent."""

    async def taken(self, places: Mapping[int, Checkpoint]) -> None:
        """The group has these places now."""

    async def reported(self) -> Mapping[int, int]:
        """The positions of the present log that its consumers have reported last, by partition; 0 before the
        first event.
        """
