"""Applies one batch to one view: drop what it has, fill what Kafka lacks, fold, save, and park what fails.

Exactly once in effect: the view's own versions decide what is new, so duplicates, replays and re-ordered
deliveries change nothing; its checkpoint moves in the same transaction, and so does what is parked. A product
with a parked event is parked whole, so that its events stay in order; the others go on.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Generic, NamedTuple
from uuid import UUID

from projector.applying.batch import (
    NOTHING,
    Item,
    NewestPositions,
    by_product,
    followers,
    has_gap,
    is_behind,
    letters_of,
    positions,
    reached,
    refuse_other_logs,
)
from projector.applying.parking_breaker import ParkingBreaker
from projector.applying.ports import (
    BatchWriter,
    Change,
    Checkpoint,
    Delivered,
    EventLog,
    Fold,
    Held,
    Letter,
    Listener,
    ParkedProducts,
    S,
    Unreadable,
    View,
)
from projector.applying.stream_fold import Doomed, StreamFold, Tally
from projector.errors import LogLacksVersions, ProjectorError, Refused, Unavailable
from shared.contract.recorded_event import RecordedEvent


class Applied(NamedTuple):
    """What became of a batch. `stopped`: partition -> (offset before which it stopped, why)."""

    tally: Tally
    letters: Sequence[Letter]
    stopped: Mapping[int, tuple[int, str]]


class Applier(Generic[S]):
    """One view, its fold, the log that fills its gaps, and who hears of changes."""

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
        self._fold = fold
        self._log = log
        self._parked_products = parked
        self._listener = listener
        self._parked: set[UUID] = set()
        self._ordered: dict[tuple[int, int], str] = {}
        self._newest = NewestPositions() if view.forgets else None

    async def load(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        """Where to go on in these partitions; also learns what is parked there. Raises `Unavailable`."""
        places = await self._parked_products.places(partitions)
        self._parked |= places.product_ids
        self._ordered = {at: why for at, why in self._ordered.items() if at[0] not in partitions}
        self._ordered |= places.ordered
        if self._newest is not None:
            self._newest.begin(partitions, await self._log.newest_position())
        return await self._view.load(partitions)

    async def apply(self, batch: Sequence[Item], *, isolate: bool = False) -> Applied:
        """Apply or park all of it, but what comes after a hole in the log; the rest goes on.

        `isolate`: after an unknown error halve as after a refusal, until one event is left, and park that.
        Raises `Fenced`, `Unavailable`, `ParkingIsFull` or the unknown error: then a prefix of it may be
        applied, and doing it again is safe.
        """
        if self._ordered:
            batch = [self._as_ordered(item) for item in batch]
        stopped: dict[int, tuple[int, str]] = {}
        while True:
            try:
                tally, letters = await self._apply_halving(batch, isolate)
            except LogLacksVersions as lacking:
                stopped[lacking.partition] = (lacking.offset, str(lacking))
                batch = [item for item in batch if not is_behind(item, lacking)]
            else:
                return Applied(tally, letters, stopped)

    def _as_ordered(self, item: Item) -> Item:
        """A record that an operator told to park counts as unreadable."""
        reason = self._ordered.get((item.partition, item.offset))
        if reason is None:
            return item
        return Unreadable(
            item.partition, item.offset, None, item.log_id, item.record, "ordered", f"told to park: {reason}"
        )

    async def _apply_halving(self, batch: Sequence[Item], isolate: bool) -> tuple[Tally, list[Letter]]:
        """The store does not say which of a batch's events it refuses: halving finds it."""
        try:
            return await self._apply(batch, {})
        except Refused as error:
            refusal: Exception = error
        except ProjectorError:
            raise
        except Exception as error:
            if not isolate:
                raise
            refusal = error
        if len(batch) == 1:
            return await self._apply(batch, _doomed(batch[0], refusal))
        half = len(batch) // 2
        tally, letters = await self._apply_halving(batch[:half], isolate)
        more_tally, more_letters = await self._apply_halving(batch[half:], isolate)
        return tally + more_tally, letters + more_letters

    async def _apply(self, batch: Sequence[Item], doomed: Doomed) -> tuple[Tally, list[Letter]]:
        """All in one transaction."""
        if not batch:
            return Counter(), []
        products, unreadable = by_product(batch)
        refuse_other_logs(unreadable)
        points = reached(batch)
        async with self._view.begin(points) as writer:
            parked = await self._still_parked(writer, products.keys())
            held = await self._held(writer, products, unreadable)
            # What was refused already is parked without another look at the log.
            named = [] if doomed else [one.product_id for one in unreadable if one.product_id is not None]
            missing = await self._missing(products, named, held, parked)
            tally, letters, changes = self._fold_all(products, held, missing, parked, doomed)
            letters += [Letter(one.record, None, one.error_class, one.cause) for one in unreadable]
            failing = sum(letter.error_class != "follower" for letter in letters)
            self.breaker.check(failing)
            await writer.save(changes)
            if letters:
                await writer.park(letters)
        if self._newest is not None:
            self._newest.reached(points)
        self.breaker.parked(failing)
        self._parked |= {letter.event.product_id for letter in letters if letter.event is not None}
        if self._listener is not None and changes:
            await self._listener.changed(changes)
        return tally, letters

    def _fold_all(
        self,
        products: Mapping[UUID, Sequence[Delivered]],
        held: Mapping[UUID, Held[S]],
        missing: Mapping[UUID, list[RecordedEvent]],
        parked: Collection[UUID],
        doomed: Doomed,
    ) -> tuple[Tally, list[Letter], list[Change[S]]]:
        tally: Tally = Counter()
        letters: list[Letter] = []
        changes: list[Change[S]] = []
        if missing:
            # Products of which only unreadable records came may have something in the log.
            products = {**products, **dict.fromkeys(missing.keys() - products.keys(), ())}
        # An id's hash costs more than a look at whether there is anything to look up.
        for product_id, deliveries in products.items():
            holding = held.get(product_id, NOTHING)
            if parked and product_id in parked:
                letters += followers(deliveries, holding.stream_version, tally)
                continue
            stream = StreamFold(self._fold, holding, tally)
            failure = stream.run(deliveries, missing.get(product_id, ()) if missing else (), doomed)
            if failure is not None:
                letters += letters_of(failure, deliveries, tally)
            change = stream.change()
            if change is not None:
                changes.append(change)
        return tally, letters, changes

    async def _still_parked(self, writer: BatchWriter[S], product_ids: Collection[UUID]) -> set[UUID]:
        """Costs nothing while nothing is parked. A drained product is forgotten here."""
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
        """All that the log has and the view has not: of products with a gap, of lost ones that begin anew,
        and of those `named`.

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


def _doomed(item: Item, error: Exception) -> Doomed:
    """The one event that is left, not to be tried again."""
    at = (item.partition, item.offset)
    if isinstance(error, Refused):
        return {at: ("refused-by-store", str(error))}
    return {at: ("unknown", f"{type(error).__name__}: {error}")}
