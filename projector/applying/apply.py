"""Applies batches to one view, and finds the one event that the view refuses.

A batch is one transaction. The store does not say which of its events it refuses, so the batch is halved
until the bad event is alone. That one is parked with its product, so that the product's events stay in
order; the others go on.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Generic, NamedTuple

from projector.applying.batch import Item, is_behind
from projector.applying.dead_letters import DeadLetter, ParkedProducts
from projector.applying.parking_breaker import ParkingBreaker
from projector.applying.ports import Checkpoint, EventLog, Fold, Listener, S, View
from projector.applying.records import Unreadable
from projector.applying.stream_fold import Failing, Tally
from projector.applying.transaction import BatchTransaction
from projector.errors import LogLacksVersions, ProjectorError, Refused
from shared.ops.error_text import named


class Applied(NamedTuple):
    """The outcome of a batch. `stopped`: partition -> (offset before which it stopped, why)."""

    tally: Tally
    dead_letters: Sequence[DeadLetter]
    stopped: Mapping[int, tuple[int, str]]


class Applier(Generic[S]):
    """One view, its fold, the log that fills its gaps, and the listener to its changes."""

    def __init__(
        self,
        view: View[S],
        fold: Fold[S],
        log: EventLog,
        parked: ParkedProducts,
        *,
        listener: Listener[S] | None = None,
        breaker: ParkingBreaker | None = None,
    ) -> None:
        self.breaker = breaker or ParkingBreaker()
        self._view = view
        self._parked_products = parked
        self._ordered: dict[tuple[int, int], str] = {}
        self._transaction = BatchTransaction(view, fold, log, self.breaker, listener)

    async def place(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        """The checkpoints of these partitions; also reads their parked products. Raises `Unavailable`."""
        places = await self._parked_products.places(partitions)
        self._ordered = {at: why for at, why in self._ordered.items() if at[0] not in partitions}
        self._ordered |= places.ordered
        await self._transaction.begin(partitions, places.product_ids)
        return await self._view.checkpoints(partitions)

    async def apply(self, batch: Sequence[Item], *, isolate: bool = False) -> Applied:
        """Apply or park the whole batch, except events behind a hole in the log.

        `isolate`: after an unknown error halve the batch as after a refusal, and park the event that is left.
        Raises `Fenced`, `Unavailable`, `ParkingIsFull` or the unknown error: then a prefix of it may be
        applied, and doing it again is safe.
        """
        if self._ordered:
            batch = [self._as_ordered(item) for item in batch]
        stopped: dict[int, tuple[int, str]] = {}
        while True:
            try:
                tally, dead_letters = await self._apply_halving(batch, isolate)
            except LogLacksVersions as lacking:
                stopped[lacking.partition] = (lacking.offset, str(lacking))
                batch = [item for item in batch if not is_behind(item, lacking)]
            else:
                return Applied(tally, dead_letters, stopped)

    def _as_ordered(self, item: Item) -> Item:
        """A record that an operator ordered to park counts as unreadable."""
        reason = self._ordered.get((item.partition, item.offset))
        if reason is None:
            return item
        return Unreadable(
            item.partition,
            item.offset,
            None,
            item.log_id,
            item.record,
            "ordered",
            f"ordered by an operator: {reason}",
        )

    async def _apply_halving(self, batch: Sequence[Item], isolate: bool) -> tuple[Tally, list[DeadLetter]]:
        """The whole batch; if the store refuses it, each half of it, down to the one bad event."""
        try:
            return await self._transaction.run(batch, {})
        except Refused as error:
            refusal: Exception = error
        except ProjectorError:
            raise
        except Exception as error:
            if not isolate:
                raise
            refusal = error
        if len(batch) == 1:
            return await self._transaction.run(batch, _failing(batch[0], refusal))
        half = len(batch) // 2
        tally, dead_letters = await self._apply_halving(batch[:half], isolate)
        more_tally, more_dead_letters = await self._apply_halving(batch[half:], isolate)
        return tally + more_tally, dead_letters + more_dead_letters


def _failing(item: Item, error: Exception) -> Failing:
    """The one event that is left; it is parked without another attempt."""
    at = (item.partition, item.offset)
    if isinstance(error, Refused):
        return {at: ("refused-by-store", str(error))}
    return {at: ("unknown", named(error))}
