"""The search index as a view: documents, then a refresh, then the checkpoint, so that it never says too much.

OpenSearch has no transactions. A batch that ends halfway is applied again, and what it has written is dropped
by its versions. Dead letters are in PostgreSQL and are committed before the checkpoint.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from projector.applying.dead_letters import OpenParking
from projector.applying.late_parking import LateParking
from projector.applying.ports import Change, Checkpoint
from projector.errors import Fenced
from projector.views.search_index.opensearch.checkpoints import IndexCheckpoints, Place
from projector.views.search_index.opensearch.documents import IndexedProducts
from projector.views.search_index.opensearch.indexes import SearchIndexes
from shared.contract.views import ProductDocument
from shared.telemetry import conventions as c
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import span

_WRITES = {c.DB_SYSTEM: c.OPENSEARCH}


class OpenSearchView:
    """Implements `View`, for one consumer. Not for concurrent batches."""

    forgets = False
    shortcut = None

    def __init__(self, indexes: SearchIndexes, open_parking: OpenParking, partition_count: int) -> None:
        self._indexes = indexes
        self._open_parking = open_parking
        self._partition_count = partition_count
        self._checkpoints = IndexCheckpoints(indexes)
        self._places: dict[int, Place] = {}
        self._name: str | None = None

    async def checkpoints(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        """Those of the live index. Raises `Unavailable`, also while there is no index."""
        name = await self._checkpoints.live_name()
        found = await self._checkpoints.read(partitions, name)
        self._name = name
        for partition in partitions:
            self._places.pop(partition, None)
        self._places.update(found)
        return {partition: place.point for partition, place in found.items()}

    @asynccontextmanager
    async def begin(self, reached: Mapping[int, Checkpoint]) -> AsyncIterator["_Batch"]:
        """A batch; what is parked in it is committed before the checkpoints move."""
        # The places tell whether another index is live by now.
        name = self._name if reached and self._name else await self._checkpoints.live_name()
        points = await self._next(name, reached)
        async with AsyncExitStack() as stack:
            products = IndexedProducts(self._indexes, name, self._partition_count)
            batch = _Batch(products, name, self._open_parking, stack)
            yield batch
        # Also without a change: a batch that was cut off may have written what is a duplicate now.
        if points or batch.has_saved:
            await self._indexes.refresh(name)
        if points:
            self._places |= await self._checkpoints.move(name, points, self._places)

    def forget(self) -> None:
        """Another process may have the partitions now."""
        self._places.clear()

    async def lost(self) -> str | None:
        """Why the live index does not have the places of this process; None: it has, or there are none."""
        known = dict(self._places)
        if not known:
            return None
        found = await self._checkpoints.read(known)
        for partition, before in known.items():
            now = found.get(partition)
            if now is None or now.index_name != before.index_name:
                return "another search index is live"
            if now.point.next_offset < before.point.next_offset:
                return f"the search index went back in partition {partition}"
        return None

    async def _next(self, name: str, reached: Mapping[int, Checkpoint]) -> dict[int, Checkpoint]:
        """The checkpoints after the batch; none goes back. Raises `Fenced`."""
        if not reached:
            return {}
        found = await self._checkpoints.read(reached)
        points = {}
        for partition, point in reached.items():
            before = self._places.get(partition)
            if found.get(partition) != before:
                raise Fenced(f"another process has moved the checkpoint of partition {partition} in {name}")
            if before is not None and before.point.log_id != point.log_id:
                raise Fenced(f"the checkpoint of partition {partition} in {name} is of another log")
            least = Checkpoint(0, 0, point.log_id) if before is None else before.point
            points[partition] = Checkpoint(
                max(point.next_offset, least.next_offset),
                max(point.log_position, least.log_position),
                point.log_id,
            )
        return points


class _Batch(LateParking):
    """`BatchWriter`."""

    def __init__(
        self, products: IndexedProducts, name: str, open_parking: OpenParking, stack: AsyncExitStack
    ) -> None:
        super().__init__(open_parking, stack)
        self.held = products.held
        self.has_saved = False
        self._products = products
        self._name = name

    async def save(self, changes: Sequence[Change[ProductDocument]]) -> None:
        if changes:
            self.has_saved = True
            with span(c.WRITE, SpanKind.CLIENT, _WRITES):
                await self._products.save(self._name, changes)
