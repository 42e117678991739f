"""What is between a running projector and its operators: letters to copy, wishes to obey, lags to tell."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from projector.applying.dead_letters import Action
from projector.applying.ports import Control


class ParkedCount(NamedTuple):
    """How much of a projection is parked, and for how long the oldest has been."""

    products: int
    events: int
    oldest_seconds: float


class Uncopied(NamedTuple):
    """A parked record on its way to the dead-letter topic."""

    parked_event_id: int
    projection: str
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    error_class: str
    cause: str


class PartitionLag(NamedTuple):
    """How far behind a projection is in one partition; `trouble` is why it does not go on, if it does not."""

    partition: int
    log_position: int
    next_offset: int
    lag_events: int
    lag_seconds: float
    trouble: str | None


class UncopiedDeadLetters(Protocol):
    """Parked records that the dead-letter topic does not have yet."""

    def uncopied(
        self, projections: Collection[str], events_max: int
    ) -> AbstractAsyncContextManager[Sequence[Uncopied]]:
        """Some of them; marked as copied when the block ends well. Raises `Unavailable`."""


class ControlBoard(Protocol):
    """Where operators leave their wishes, and projections their state. Raises `Unavailable`."""

    async def wanted(self) -> Mapping[str, Control]:
        """By projection; one that nobody ever paused or resumed is absent."""

    async def set(self, projection: str, action: Action, *, is_paused: bool) -> None:
        """Pause or resume."""

    async def tell(self, projection: str, topic: str, lags: Sequence[PartitionLag]) -> None:
        """Keep what a consumer measured, for whoever asks for the status."""

    async def counts(self) -> Mapping[str, ParkedCount]:
        """How much is parked, by projection; one without parked events is absent."""
