"""One batch: skips parked products, fills gaps from the log, parks failing events, all in one transaction. An
ordinary batch has nothing of that, and takes the view's shortcut.

The view's own versions decide which events are new: duplicates, replays and reordered deliveries change
nothing. The view's checkpoint and the dead letters are written in the same transaction.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Generic
from uuid import UUID

from projector.applying.batch import (
    NOTHING,
    Item,
    NewestPositions,
    by_product,
    has_gap,
    positions,
    reached,
    refuse_other_logs,
)
from projector.applying.dead_letters import DeadLetter, ProductDeadLetter, SingleDeadLetter
from projector.applying.fold_batch import Parked, fold_batch
from projector.applying.ordinary import OrdinaryBatches
from projector.applying.parking_breaker import ParkingBreaker
from projector.applying.ports import BatchWriter, Change, EventLog, Fold, Held, Listener, S, View
from projector.applying.records import Delivered, Unreadable
from projector.applying.stream_fold import Failing, Tally
from projector.errors import Unavailable
from shared.contract.recorded_event import RecordedEvent


class BatchTransaction(Generic[S]):
    """Run once for each batch, and for each part of a batch that is halved.

    Remembers which products are parked, so that the check costs nothing while none is.
    """

    def __init__(
        self,
        view: View[S],
        fold: Fold[S],
        log: EventLog,
        breaker: ParkingBreaker,
        listener: Listener[S] | None,
    ) -> None:
        self._view = view
        self._fold = fold
        self._log = log
        self._breaker = breaker
        self._listener = listener
        self._ordinary = None if view.shortcut is None else OrdinaryBatches(view.shortcut)
        self._parked: set[UUID] = set()
        self._newest = NewestPositions() if view.forgets else None

    async def begin(self, partitions: Collection[int], parked: Collection[UUID]) -> None:
        """These partitions are read here from now on, and these products are parked. Raises `Unavailable`."""
        self._parked.update(parked)
        if self._newest is not None:
            self._newest.begin(partitions, await self._log.newest_position())

    async def run(self, batch: Sequence[Item], failing: Failing) -> tuple[Tally, list[DeadLetter]]:
        """Apply or park each item. `failing`: events that are parked without an attempt.

        Raises `Fenced`, `Refused`, `Unavailable`, `ParkingIsFull`, `LogDiffers`, `LogLacksVersions`, or an
        unknown error: then nothing of the batch is applied.
        """
        if not batch:
            return Counter(), []
        products, unreadable = by_product(batch)
        refuse_other_logs(unreadable)
        points = reached(batch)
        # Hashing an id costs more than checking whether the collection is empty.
        is_parked = self._parked and self._parked.intersection(products)
        if self._ordinary is not None and not (failing or unreadable or is_parked):
            taken = await self._ordinary.run(self._fold, products, points)
            if taken is not None:
                self._breaker.check(0)
                await self._tell(taken.changes)
                return taken.tally, []
        async with self._view.begin(points) as writer:
            parked = await self._still_parked(writer, products.keys())
            held = await self._held(writer, products, unreadable)
            # An event that was refused is parked without reading the log again.
            named = [] if failing else [one.product_id for one in unreadable if one.product_id is not None]
            missing = await self._missing(products, named, held, parked)
            tally, dead_letters, changes = fold_batch(
                self._fold, products, held, missing, Parked(parked, failing)
            )
            dead_letters += [
                SingleDeadLetter(one.record, None, one.error_class, one.cause) for one in unreadable
            ]
            failed_count = sum(dead_letter.error_class != "follower" for dead_letter in dead_letters)
            self._breaker.check(failed_count)
            await writer.save(changes)
            if dead_letters:
                await writer.park(dead_letters)
        if self._newest is not None:
            self._newest.reached(points)
        self._breaker.parked(failed_count)
        self._parked |= {one.event.product_id for one in dead_letters if isinstance(one, ProductDeadLetter)}
        await self._tell(changes)
        return tally, dead_letters

    async def _tell(self, changes: Sequence[Change[S]]) -> None:
        if self._listener is not None and changes:
            await self._listener.changed(changes)

    async def _still_parked(self, writer: BatchWriter[S], product_ids: Collection[UUID]) -> set[UUID]:
        """Costs nothing while nothing is parked. A product that is no longer parked is forgotten here."""
        if not self._parked:
            return set()
        known = self._parked.intersection(product_ids)
        if not known:
            return known
        parked = await writer.still_parked(known)
        self._parked -= known - parked
        return parked

    async def _held(
        self,
        writer: BatchWriter[S],
        products: Mapping[UUID, Sequence[Delivered]],
        unreadable: Sequence[Unreadable],
    ) -> Mapping[UUID, Held[S]]:
        named = {one.product_id for one in unreadable if one.product_id is not None}
        return await writer.held(products.keys() | named if named else products.keys())

    async def _missing(
        self,
        products: Mapping[UUID, Sequence[Delivered]],
        named: Collection[UUID],
        held: Mapping[UUID, Held[S]],
        parked: Collection[UUID],
    ) -> Mapping[UUID, list[RecordedEvent]]:
        """The events that the log has and the view does not: of products with a gap, of products that a cache
        lost, and of those `named`.

        The newest versions come along, although Kafka will deliver them too: a view that lost a document
        (Redis was flushed) must not show an older one than it did. An unreadable record may have been an
        event of the product in its key: the log knows.
        """
        gaps = {
            product_id: deliveries
            for product_id, deliveries in products.items()
            if not (parked and product_id in parked)
            and (
                has_gap(deliveries, held.get(product_id, NOTHING).stream_version)
                or (self._newest is not None and product_id not in held and self._newest.have(deliveries[0]))
            )
        }
        wanted = gaps.keys() | (set(named) - set(parked))
        if not wanted:
            return {}
        newest, furthest = await self._log.newest_position(), positions(gaps)
        if newest < furthest:
            raise Unavailable(f"the log's replica is at {newest}, Kafka at {furthest}")
        return await self._log.events_after({one: held.get(one, NOTHING).stream_version for one in wanted})
