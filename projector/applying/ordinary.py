"""The ordinary batch in two exchanges with the store: nothing of it is parked, unreadable or missing.

The store writes all of it, or nothing if it holds something else than was read. Whatever is not ordinary is
left to the transaction (`BatchTransaction`).
"""

from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple
from uuid import UUID

from projector.applying.batch import NOTHING, has_gap
from projector.applying.fold_batch import NONE_PARKED, fold_batch
from projector.applying.ports import Change, Checkpoint, Fold, S, Shortcut
from projector.applying.records import Delivered
from projector.applying.stream_fold import Tally

# A large batch costs little an event either way, and a statement's memory should have a bound.
PRODUCTS_MAX = 1_000


class Taken(NamedTuple, Generic[S]):
    """The batch is applied."""

    tally: Tally
    changes: Sequence[Change[S]]


class OrdinaryBatches(Generic[S]):
    """Over one view's shortcut."""

    def __init__(self, shortcut: Shortcut[S]) -> None:
        self._shortcut = shortcut

    async def run(
        self,
        fold: Fold[S],
        products: Mapping[UUID, Sequence[Delivered]],
        points: Mapping[int, Checkpoint],
    ) -> Taken[S] | None:
        """None: nothing was written, and the batch needs its transaction.

        Raises `Unavailable` or an unknown error: then it is not known whether the batch is applied, and doing
        it again is safe.
        """
        if len(products) > PRODUCTS_MAX:
            return None
        held = await self._shortcut.held(points, products.keys())
        if held is None or any(
            has_gap(some, held.get(one, NOTHING).stream_version) for one, some in products.items()
        ):
            return None
        tally, dead_letters, changes = fold_batch(fold, products, held, {}, NONE_PARKED)
        if dead_letters or not changes or not await self._shortcut.save(points, held, changes):
            return None
        return Taken(tally, changes)
