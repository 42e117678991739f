"""What a rebuild needs of a store that can hold a view twice: live, and as the shadow that is being made."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from projector.applying.ports import Change, Held, S
from projector.rebuild.bulk_fold import Failed
from shared.contract.recorded_event import RecordedEvent

LOADING, CATCHING_UP, COMPARED, SWITCHED = "loading", "catching-up", "proved", "switched"
Only = Callable[[RecordedEvent], bool]


class Record(NamedTuple):
    """How far a rebuild is: where it goes on after whatever interrupted it. `phase` is one of the above."""

    projection: str
    phase: str
    log_id: UUID
    target_position: int
    reached_position: int
    slices: int
    slices_done: Sequence[int]
    events_done: int
    generation: int
    made_by: str
    proof: str
    checkpoints: str
    started_at: datetime
    changed_at: datetime


class Comparison(NamedTuple):
    """Live view and shadow compared at one position; `differences` are lines for people, none when equal."""

    rows: int
    digest: str
    differences: Sequence[str]
    left_out: int


class ShadowWriter(Protocol[S]):
    """A stretch of the log on its way into the shadow."""

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[S]]: ...

    async def save(self, changes: Sequence[Change[S]]) -> None: ...

    async def fail(self, failures: Mapping[UUID, Failed]) -> None:
        """The histories of these products do not fold on."""


class Tail(Protocol):
    """The log after what the shadow has. `failed`: products of which the shadow cannot apply an event."""

    failed: set[UUID]

    async def newest(self) -> int:
        """The log's newest position."""

    async def apply(self, upto: int, only: Only | None = None) -> None:
        """Bring the shadow up to a position; with `only`, just those events, which moves no position."""


class Shadow(Protocol[S]):
    """The view that is being made. Every method raises `Unavailable`."""

    async def make(self) -> None:
        """Empty, whatever was there before."""

    async def load(
        self, which: int, events: int, changes: Iterable[Change[S]], failures: Mapping[UUID, Failed]
    ) -> None:
        """One slice in bulk, all or nothing; a slice that is there already stays as it is."""

    async def finish_loading(self) -> None:
        """Indexes and the like; doing it again does no harm."""

    def begin(self, reached: int | None) -> AbstractAsyncContextManager[ShadowWriter[S]]:
        """Apply a stretch; `reached` is its end, None where the position does not move."""

    async def compare(self, tail: Tail) -> Comparison:
        """Compare with the live view, at one and the same position."""

    async def switch(self, tail: Tail) -> None:
        """Make it live in one step, with all that the live view has."""

    async def switch_back(self, tail: Tail) -> None:
        """Make the previous one live again. Raises `CannotGoOn` where there is none."""

    async def drop(self) -> None:
        """Throw away the shadow."""

    async def drop_previous(self) -> None:
        """Throw away what was live before the switch."""


class Records(Protocol):
    """Where a rebuild keeps how far it is. Every method is one transaction and raises `Unavailable`."""

    async def read(self) -> Record | None:
        """None: nothing is being rebuilt, and nothing was since the last time it was finished."""

    async def start(self, log_id: UUID, target: int, slices: int, made_by: str, generation: int) -> None:
        """Forget what was before."""

    async def move_to(self, phase: str, *, proof: str | None = None) -> None:
        """From one phase to the next."""

    async def forget(self) -> None:
        """Nothing is left of it."""

    async def failures(self) -> Mapping[UUID, Failed]:
        """Products whose history does not fold."""


class CacheRecords(Records, Protocol[S]):
    """The record of a rebuild whose view is not in PostgreSQL."""

    def owned(self, *, is_long: bool = False) -> AbstractAsyncContextManager[object]:
        """A block during which nobody else can take the rebuild. Raises `RebuildLockLost`."""

    async def slice_loaded(self, which: int, events: int, failures: Mapping[UUID, Failed]) -> None:
        """After the slice is in the shadow: loading it twice does no harm."""

    async def applied(self, reached: int | None, failures: Mapping[UUID, Failed]) -> None:
        """After the stretch is in the shadow."""

    async def replaces(self, phase: str, checkpoints: Sequence[Mapping[str, int]]) -> None:
        """Before the switch: what a roll-back goes back to."""

    async def switched(self, live: "Holder[S]") -> None:
        """What is parked from now on is what `live` could not apply."""


class Holder(Protocol[S]):
    """What a view holds of products."""

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[S]]: ...
