"""Between a running projector and its operators: pause and resume, reported lag, dead letters to copy."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from projector.applying.dead_letters import Action
from projector.applying.ports import Control


class ParkedCount(NamedTuple):
    """How many dead letters a projection has, of how many products, and the age of the oldest."""

    products: int
    events: int
    oldest_seconds: float


class Uncopied(NamedTuple):
    """A dead letter that is not in the dead-letter topic yet."""

    dead_letter_id: int
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
    """How far behind a projection is in one partition. `trouble`: why it does not go on; None: it does."""

    partition: int
    log_position: int
    next_offset: int
    lag_events: int
    lag_seconds: float
    trouble: str | None


class UncopiedDeadLetters(Protocol):
    """Dead letters that are not in the dead-letter topic yet."""

    def uncopied(
        self, projections: Collection[str], events_max: int
    ) -> AbstractAsyncContextManager[Sequence[Uncopied]]:
        """Some of them; marked as copied when the block ends without an error. Raises `Unavailable`."""


class ControlBoard(Protocol):
    """Where operators request pause and resume, and projections report their state. Raises `Unavailable`."""

    async def wanted(self) -> Mapping[str, Control]:
        """By projection; one that was never paused or resumed is absent."""

    async def set(self, projection: str, action: Action, *, is_paused: bool) -> None:
        """Pause or resume."""

    async def tell(self, projection: str, topic: str, lags: Sequence[PartitionLag]) -> None:
        """Store the lag that a consumer measured, for `status`."""

    async def counts(self) -> Mapping[str, ParkedCount]:
        """By projection; one without dead letters is absent."""
