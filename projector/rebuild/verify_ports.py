"""What `verify` needs of a view, and what it says."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from projector.applying.ports import Change, S


class Standing(NamedTuple):
    """A product in a view. `stream_version` None: it is not there and need not be (a cache).

    `position_due`: the view must have what the log has up to here, unless the product is parked.
    """

    stream_version: int | None
    position_due: int
    is_parked: bool


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
