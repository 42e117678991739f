"""The documents of the hot read, written as events arrive; readers fill in only missing ones.

The group's committed offset is the position, and every write is guarded by the document's version. The
checkpoints in Redis only say whether Redis still has what was written (`checkpoints.py`). Dead letters are
kept in PostgreSQL, like those of every view, in a transaction that ends after the documents are written.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from projector.applying.dead_letters import OpenParking
from projector.applying.late_parking import LateParking
from projector.applying.ports import Change, Checkpoint
from projector.views.product_cache.redis.checkpoints import CacheCheckpoints
from projector.views.product_cache.redis.documents import CachedProducts
from shared.contract.views import ProductDocument
from shared.telemetry import conventions as c
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import span

_WRITES = {c.DB_SYSTEM: c.REDIS}


class RedisProductCache:
    """Implements `View`. Documents expire, are evicted, and are lost by a flush."""

    forgets = True
    shortcut = None

    def __init__(
        self,
        documents: CachedProducts,
        open_parking: OpenParking,
        checkpoints: CacheCheckpoints | None = None,
    ) -> None:
        self._documents = documents
        self._open_parking = open_parking
        self._checkpoints = checkpoints

    async def checkpoints(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        """None: Kafka's committed offsets are the position."""
        return {}

    @asynccontextmanager
    async def begin(self, reached: Mapping[int, Checkpoint]) -> AsyncIterator["_Batch"]:
        """No transaction in Redis: writing a prefix twice changes nothing."""
        async with AsyncExitStack() as stack:
            yield _Batch(self._documents, self._open_parking, stack)
            if self._checkpoints is not None:
                await self._checkpoints.applied({one: point.next_offset for one, point in reached.items()})


class _Batch(LateParking):
    """`BatchWriter`."""

    def __init__(self, documents: CachedProducts, open_parking: OpenParking, stack: AsyncExitStack) -> None:
        super().__init__(open_parking, stack)
        self.held = documents.held
        self._documents = documents

    async def save(self, changes: Sequence[Change[ProductDocument]]) -> None:
        with span(c.WRITE, SpanKind.CLIENT, _WRITES):
            await self._documents.save(changes)
