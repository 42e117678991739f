"""What `verify` needs of the log and of a view, and what it says."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from projector.applying.ports import Change, S
from projector.rebuild.bulk_fold import LogRow


class Standing(NamedTuple):
    """A product in a view. `stream_version` None: it is not there and need not be (a cache).

    `position_due`: the view must have what the log has up to here, unless the product is parked.
    """

    stream_version: int | None
    position_due: int
    is_parked: bool


class StreamScan(Protocol):
    """The event log, product by product. All of it raises `Unavailable`."""

    async def newest_position(self) -> int:
        """Of the log as a whole."""

    async def count_products(self, upto: int) -> int:
        """How many products there are up to a position."""

    def stream_versions(self, page: int) -> AsyncIterator[dict[UUID, int]]:
        """Every product's newest version, `page` products at a time."""

    async def sampled_versions(self, count: int) -> dict[UUID, int]:
        """Newest versions of at most `count` products, picked at random."""

    async def stream_rows(self, product_ids: Collection[UUID]) -> Sequence[LogRow]:
        """All their events, stream by stream."""


class ViewCheck(Protocol[S]):
    """One view, compared with folds of the log, some products at a time. All of it raises `Unavailable`."""

    async def standing(self, product_ids: Collection[UUID]) -> Mapping[UUID, Standing]:
        """How far each product is, with an entry for each."""

    async def unexpected(self, product_ids: Collection[UUID], changes: Sequence[Change[S]]) -> list[str]:
        """What differs, a line each; `changes` lead from nothing to what the view should have."""

    async def unexpected_shared(self) -> list[str]:
        """What differs in rows that several products write, after all products were compared."""


class Verified(NamedTuple):
    """What was compared. `differences` are lines for people, the first so many; `different` counts all."""

    projection: str
    products: int
    events: int
    parked: int
    not_there: int
    different: int
    differences: Sequence[str]
