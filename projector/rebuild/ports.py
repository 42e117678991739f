"""The ports of a rebuild: a store that can hold a view twice, as the live view and as a shadow."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from projector.applying.ports import Change, Held, S
from projector.rebuild.bulk_fold import Failed
from shared.contract.recorded_event import RecordedEvent

# As stored; the table's word for a rebuild that is compared is `proved`.
LOADING, CATCHING_UP, COMPARED, SWITCHED = "loading", "catching-up", "proved", "switched"
Only = Callable[[RecordedEvent], bool]


class Record(NamedTuple):
    """How far a rebuild is, so that it can be resumed. `phase` is one of the above.

    `proof` is the result of the comparison, for people; it has the name of its column.
    """

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

    @property
    def position(self) -> int:
        """Up to which the shadow has the log: all slices together reach the target, without a mark."""
        is_loaded = self.phase != LOADING
        return max(self.target_position, self.reached_position) if is_loaded else self.reached_position


class Comparison(NamedTuple):
    """Shadow and live view compared at one position; `differences` are lines for people, empty if equal."""

    rows: int
    checksum: str
    differences: Sequence[str]
    left_out: int


class ShadowWriter(Protocol[S]):
    """Writes a stretch of the log into the shadow."""

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[S]]: ...

    async def save(self, changes: Sequence[Change[S]]) -> None: ...

    async def fail(self, failures: Mapping[UUID, Failed]) -> None:
        """Store products whose history does not fold."""


class CatchingUp(Protocol):
    """Brings the shadow to the end of the log. `failed`: products with an event that cannot be applied.
    `reached`: the position that it is at.
    """

    failed: set[UUID]
    reached: int

    async def newest(self) -> int:
        """The log's newest position."""

    async def apply(self, upto: int, only: Only | None = None) -> None:
        """Bring the shadow up to a position. `only`: just these events; then the position does not move."""


class Shadow(Protocol[S]):
    """The shadow of a view. Every method raises `Unavailable`."""

    async def make(self) -> None:
        """Make an empty shadow, in place of an older one."""

    async def load(
        self, which: int, events: int, changes: Iterable[Change[S]], failures: Mapping[UUID, Failed]
    ) -> None:
        """Load one slice in bulk, all or nothing; a slice that is loaded already does not change."""

    async def finish_loading(self) -> None:
        """Make indexes and statistics; may be repeated."""

    def begin(self, reached: int | None) -> AbstractAsyncContextManager[ShadowWriter[S]]:
        """Apply a stretch; `reached` is its end; None: the position does not move."""

    async def compare(self, catch_up: CatchingUp) -> Comparison:
        """Compare with the live view, at the same position."""

    async def switch(self, catch_up: CatchingUp) -> None:
        """Make it the live view in one step, after it has everything that the live view has."""

    async def switch_back(self, catch_up: CatchingUp) -> None:
        """Make the previous view the live one again. Raises `CannotGoOn` if there is none."""

    async def drop(self) -> None:
        """Drop the shadow."""

    async def drop_previous(self) -> None:
        """Drop the previous view."""


class Records(Protocol):
    """Stores how far a rebuild is. Every method is one transaction and raises `Unavailable`."""

    async def read(self) -> Record | None:
        """None: no rebuild is under way, and the last one is finished."""

    async def start(self, log_id: UUID, target: int, slices: int, made_by: str, generation: int) -> None:
        """Begin a new record, in place of the old one."""

    async def move_to(self, phase: str, *, proof: str | None = None) -> None:
        """Move to another phase."""

    async def forget(self) -> None:
        """Delete the record."""

    async def failures(self) -> Mapping[UUID, Failed]:
        """Products whose history does not fold."""


class CacheRecords(Records, Protocol[S]):
    """The record of a rebuild whose view is not in PostgreSQL."""

    def owned(self, *, is_long: bool = False) -> AbstractAsyncContextManager[object]:
        """A block in which no other process can take the rebuild over. Raises `RebuildLockLost`."""

    async def slice_loaded(self, which: int, events: int, failures: Mapping[UUID, Failed]) -> None:
        """Call it after the slice is in the shadow: a slice may be loaded twice."""

    async def applied(self, reached: int | None, failures: Mapping[UUID, Failed]) -> None:
        """Call it after the stretch is in the shadow."""

    async def replaces(self, phase: str, checkpoints: Sequence[Mapping[str, int]]) -> None:
        """Call it before the switch, with the checkpoints that a rollback returns to."""

    async def switched(
        self, live: "Holder[S]", *, begins_anew: str | None = None, is_of_other_log: bool = False
    ) -> None:
        """Call it after the switch: parks what `live` could not apply, and releases what it has applied.

        `begins_anew`: why its consumers load their places again. `is_of_other_log`: the view before was made
        from another log, so its dead letters mean nothing any more.
        """

    async def begin_anew(self, reason: str) -> None:
        """The consumers of the projection load their places again."""


class Holder(Protocol[S]):
    """Reads products of a view."""

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[S]]: ...
