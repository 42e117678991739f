"""The ports of `verify`: the log, a view, and where results are stored; and the result."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from projector.applying.ports import Change, S
from projector.rebuild.bulk_fold import LogRow


class Standing(NamedTuple):
    """A product in a view. `stream_version` None: it is not there, and need not be (a cache).

    `position_due`: the view must have the events up to this position, unless the product is parked.
    """

    stream_version: int | None
    position_due: int
    is_parked: bool


class StreamScan(Protocol):
    """The event log, product by product. Every method raises `Unavailable`."""

    async def newest_position(self) -> int:
        """The newest position of the log."""

    async def count_products(self, upto: int) -> int:
        """How many products there are up to a position."""

    async def removed_partition(self, after: int, upto: int) -> str | None:
        """What is archived and removed of this range of the log; None: nothing."""

    def stream_versions(self, page: int) -> AsyncIterator[dict[UUID, int]]:
        """Every product's newest version, `page` products at a time."""

    async def sampled_versions(self, count: int) -> dict[UUID, int]:
        """Newest versions of at most `count` products, chosen at random."""

    async def stream_rows(self, product_ids: Collection[UUID]) -> Sequence[LogRow]:
        """All events of these products, stream by stream."""

    async def gone(self, product_ids: Collection[UUID]) -> set[UUID]:
        """Those of them that left with a removed partition; ask after a read: it is noted before they do."""


class ViewCheck(Protocol[S]):
    """Compares one view with folds of the log, some products at a time. Every method raises `Unavailable`."""

    @property
    def log_position(self) -> int:
        """The newest position that the view had applied when the comparison began."""

    async def standing(self, product_ids: Collection[UUID]) -> Mapping[UUID, Standing]:
        """The version of each product in the view, with an entry for each."""

    async def unexpected(self, product_ids: Collection[UUID], changes: Sequence[Change[S]]) -> list[str]:
        """One line for each difference; `changes` lead from nothing to the rows that the view should have."""

    async def unexpected_shared(self) -> list[str]:
        """Differences in rows that several products share; call it after all products were compared."""


class Verified(NamedTuple):
    """The result. `differences` are lines for people, only the first ones; `different` counts all.

    `log_position`: the newest position that the view had applied. `left_out`: why rows that products share
    were not compared; None: they were, or it was a sample.
    """

    projection: str
    log_position: int
    products: int
    events: int
    parked: int
    not_there: int
    different: int
    differences: Sequence[str]
    left_out: str | None = None


class Known(NamedTuple):
    """`differences` None: never verified. `unverified_since`: when the whole view was last verified."""

    differences: int | None
    unverified_since: datetime


class Verifications(Protocol):
    """The newest results. Every method raises `Unavailable`."""

    async def store(self, verified: Verified, *, is_sample: bool, seconds: float) -> None:
        """Keep the result of a verification that ends now and took so many seconds.

        One that began before the stored one changes nothing, and a sample without differences proves nothing
        about the products in which another one found some.
        """

    async def known(self, projections: Sequence[str]) -> Mapping[str, Known]:
        """Of each of these projections. A view never verified whole counts from the installation."""
