"""The next search index: filled beside the live one, compared with it, and put behind the alias in one step.

Nothing is frozen. Before the shadow is brought to the end of the log, the places of the live index are copied
into it; the log has everything before them. Then the alias moves, and with it the checkpoints. A consumer
that wrote to the live index meanwhile notices the switch before its next batch, and reads from the copied
places on: what the shadow has already is dropped by its versions. The progress is in PostgreSQL, as for every
rebuild.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import UUID

from projector.applying.ports import Change, Checkpoint
from projector.errors import CannotGoOn, Unavailable
from projector.rebuild.bulk_fold import Failed
from projector.rebuild.compared_documents import ProductIds
from projector.rebuild.opensearch.shadow_comparison import compare
from projector.rebuild.ports import CacheRecords, CatchingUp, Comparison, Record
from projector.views.search_index.opensearch.checkpoints import IndexCheckpoints
from projector.views.search_index.opensearch.documents import IndexedProducts
from projector.views.search_index.opensearch.indexes import SearchIndexes
from shared.contract.views import ProductDocument


class Ends(NamedTuple):
    """Where consumers may go on once all up to `log_position` is applied; nowhere: from the beginning."""

    next_offsets: Mapping[int, int]
    log_position: int = 0


TopicEnds = Callable[[], Awaitable[Ends]]
"""The present end of each partition of the topic."""
ParkedIds = Callable[[], Awaitable[Collection[UUID]]]
"""The products that are parked now."""


class OpenSearchShadow:
    """Implements `Shadow`. Its number is the generation of its record."""

    def __init__(
        self,
        indexes: SearchIndexes,
        records: CacheRecords[ProductDocument],
        product_ids: ProductIds,
        topic_ends: TopicEnds,
        parked_ids: ParkedIds,
        *,
        partition_count: int,
    ) -> None:
        self._indexes = indexes
        self._records = records
        self._product_ids = product_ids
        self._topic_ends = topic_ends
        self._parked_ids = parked_ids
        self._partitions = range(partition_count)
        self._checkpoints = IndexCheckpoints(indexes)

    async def next_generation(self) -> int:
        """The number of a new and empty index."""
        numbers, _ = await self._indexes.numbers()
        number = max(numbers, default=0) + 1
        while not await self._indexes.make(number):
            number += 1
        return number

    async def make(self) -> None:
        """Drops what a rebuild left that was killed before its record was stored."""
        numbers, live = await self._indexes.numbers()
        for number in numbers:
            if number != live:
                await self._indexes.drop(number)

    async def load(
        self,
        which: int,
        events: int,
        changes: Iterable[Change[ProductDocument]],
        failures: Mapping[UUID, Failed],
    ) -> None:
        """A slice that is loaded twice writes nothing the second time."""
        number = (await self._record()).generation
        await self._products(number).save(self._indexes.name(number), changes)
        await self._records.slice_loaded(which, events, failures)

    async def finish_loading(self) -> None:
        """Its replicas are made from the full index: that is cheaper than to write each document twice."""
        await self._indexes.complete((await self._record()).generation)

    @asynccontextmanager
    async def begin(self, reached: int | None) -> AsyncIterator["_Writer"]:
        """First the documents, then the position."""
        number = (await self._record()).generation
        writer = _Writer(self._products(number), self._indexes.name(number))
        yield writer
        await self._records.applied(reached, writer.failures)

    async def compare(self, catch_up: CatchingUp) -> Comparison:
        live = await self._live()
        if live is None:
            return Comparison(0, "", [], 0)
        shadow = self._products((await self._record()).generation)
        name = self._indexes.name(live)
        places = await self._checkpoints.read(self._partitions, name)
        without = {*catch_up.failed, *await self._parked_ids()}
        reached = {
            partition: min(place.point.log_position, catch_up.reached) for partition, place in places.items()
        }
        return await compare(self._product_ids, self._products(live), shadow, reached, without)

    async def switch(self, catch_up: CatchingUp) -> None:
        """The replaced index is stored before: after a crash in between, this one is live already."""
        record = await self._record()
        live = await self._live()
        if live != record.generation:
            replaced = [] if live is None else [{"previous": live}]
            await self._records.replaces(record.phase, replaced)
            await self._switch_to(record, live, catch_up)
        previous = self._previous(await self._record())
        log_ids = set() if previous is None else await self._log_ids(previous)
        await self._records.switched(
            self._products(record.generation),
            begins_anew="another search index is live",
            is_of_other_log=bool(log_ids - {record.log_id}),
        )

    async def switch_back(self, catch_up: CatchingUp) -> None:
        """Consumers go on where the previous index was at the switch."""
        previous = self._previous(await self._record())
        numbers, live = await self._indexes.numbers()
        if previous is None or previous not in numbers:
            raise CannotGoOn("there is no previous search index to roll back to")
        if previous != live:
            async with self._records.owned():
                await self._indexes.make_live(previous)
        await self._records.begin_anew("the previous search index is live again")

    async def drop(self) -> None:
        number = (await self._record()).generation
        if number == await self._live():
            # There was a crash between the switch and its record.
            raise CannotGoOn("the rebuilt search index is the live one already: use --resume")
        await self._indexes.drop(number)

    async def drop_previous(self) -> None:
        """After a rollback that was interrupted, the previous index is the live one."""
        record = await self._records.read()
        previous = None if record is None else self._previous(record)
        if previous is not None and previous != await self._live():
            await self._indexes.drop(previous)

    async def _switch_to(self, record: Record, live: int | None, catch_up: CatchingUp) -> None:
        name = self._indexes.name(record.generation)
        ends = await self._ends(live, record.log_id)
        await catch_up.apply(await catch_up.newest())
        if catch_up.reached < ends.log_position:
            raise Unavailable(f"the log's replica is at {catch_up.reached}, Kafka at {ends.log_position}")
        points = {
            one: Checkpoint(ends.next_offsets.get(one, 0), catch_up.reached, record.log_id)
            for one in self._partitions
        }
        async with self._records.owned():
            await self._checkpoints.place(name, points)
            await self._indexes.refresh(name)
            await self._indexes.make_live(record.generation)

    async def _ends(self, live: int | None, log_id: UUID) -> Ends:
        """Those of the live index, unless there is none, or one of another log."""
        if live is not None:
            places = await self._checkpoints.read(self._partitions, self._indexes.name(live))
            points = {partition: place.point for partition, place in places.items()}
            if {point.log_id for point in points.values()} == {log_id}:
                return Ends(
                    {partition: point.next_offset for partition, point in points.items()},
                    max(point.log_position for point in points.values()),
                )
        return await self._topic_ends()

    async def _log_ids(self, number: int) -> set[UUID]:
        places = await self._checkpoints.read(self._partitions, self._indexes.name(number))
        return {place.point.log_id for place in places.values()}

    async def _live(self) -> int | None:
        return await self._indexes.live()

    async def _record(self) -> Record:
        record = await self._records.read()
        if record is None:
            raise CannotGoOn("there is no record of a rebuild of the search index")
        return record

    def _previous(self, record: Record) -> int | None:
        kept = json.loads(record.checkpoints)
        return int(kept[0]["previous"]) if kept else None

    def _products(self, number: int) -> IndexedProducts:
        return IndexedProducts(self._indexes, self._indexes.name(number), len(self._partitions))


class _Writer:
    """Implements `ShadowWriter`."""

    def __init__(self, products: IndexedProducts, name: str) -> None:
        self.failures: dict[UUID, Failed] = {}
        self.held = products.held
        self._products = products
        self._name = name

    async def save(self, changes: Sequence[Change[ProductDocument]]) -> None:
        await self._products.save(self._name, changes)

    async def fail(self, failures: Mapping[UUID, Failed]) -> None:
        self.failures.update(failures)
