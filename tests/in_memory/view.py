"""A view in memory, for one consumer: several of them over one read model are several processes."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Generic
from uuid import UUID

from projector.applying.dead_letters import ParkedPlaces
from projector.applying.ports import Checkpoint, S
from projector.parking.postgres.parking import DEFAULT_LIMITS, ParkingLimits
from tests.in_memory.read_model import InMemoryBatch, InMemoryReadModel
from tests.in_memory.shortcut import InMemoryShortcut


class InMemoryView(Generic[S]):
    """Implements `applying.ports.View`: a table; with `forgets` a cache, without transaction and checkpoint.

    `kept` is what the store keeps of a state: not what only a batch knows.
    """

    def __init__(
        self,
        read_model: InMemoryReadModel,
        projection: str,
        topic: str,
        *,
        limits: ParkingLimits = DEFAULT_LIMITS,
        forgets: bool = False,
        kept: Callable[[S], S] = lambda state: state,
    ) -> None:
        self.forgets = forgets
        self._read_model = read_model
        self._projection = projection
        self._topic = topic
        self._limits = limits
        self._kept = kept
        self._next_offsets: dict[int, int] = {}
        self._shortcut = InMemoryShortcut[S](self.begin, self._next_offsets, self._is_free)

    @property
    def shortcut(self) -> InMemoryShortcut[S] | None:
        """A cache has none."""
        return None if self.forgets else self._shortcut

    async def checkpoints(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        stored = self._read_model.rows(self._projection).checkpoints
        found = {one: stored[self._topic, one] for one in partitions if (self._topic, one) in stored}
        for partition in partitions:
            self._next_offsets.pop(partition, None)
        self._next_offsets.update({partition: point.next_offset for partition, point in found.items()})
        return found

    @asynccontextmanager
    async def begin(self, reached: Mapping[int, Checkpoint]) -> AsyncIterator[InMemoryBatch[S]]:
        batch = InMemoryBatch(
            self._read_model, self._projection, self._limits, self._kept, saves_at_once=self.forgets
        )
        offsets = {}
        async with batch.committed():
            if not self.forgets:
                offsets = await batch.move(self._topic, reached, self._next_offsets)
            yield batch
        self._next_offsets.update(offsets)

    def _is_free(self, partition: int) -> bool:
        return not self._read_model.is_locked(("checkpoint", self._topic, partition))

    def lose(self, product_id: UUID) -> None:
        """The document is evicted."""
        self._read_model.rows(self._projection).held.pop(product_id, None)


class InMemoryParkedProducts:
    """Implements `applying.dead_letters.ParkedProducts`."""

    def __init__(self, read_model: InMemoryReadModel, projection: str, topic: str) -> None:
        self._read_model = read_model
        self._projection = projection
        self._topic = topic

    async def places(self, partitions: Collection[int]) -> ParkedPlaces:
        rows = self._read_model.rows(self._projection)
        return ParkedPlaces(
            {
                product_id for product_id, one in rows.products.items()
                if one.topic == self._topic and one.partition in partitions
            },
            {
                (partition, offset): reason for (topic, partition, offset), reason in rows.orders.items()
                if topic == self._topic and partition in partitions
            },
        )  # fmt: skip
