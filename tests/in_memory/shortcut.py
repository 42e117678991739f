"""An ordinary batch in memory: what was read is compared with the rows in the transaction that writes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic
from uuid import UUID

from projector.applying.batch import NOTHING
from projector.applying.ports import Change, Checkpoint, Held, S
from projector.errors import Fenced, Refused
from tests.in_memory.read_model import InMemoryBatch

_Begin = Callable[[Mapping[int, Checkpoint]], AbstractAsyncContextManager[InMemoryBatch[S]]]


class InMemoryShortcut(Generic[S]):
    """Implements `applying.ports.Shortcut`. `begin` opens a view's transaction; `is_free`: nobody has the
    checkpoint of this partition.
    """

    def __init__(
        self, begin: "_Begin[S]", next_offsets: Mapping[int, int], is_free: Callable[[int], bool]
    ) -> None:
        self._begin = begin
        self._is_free = is_free
        self._next_offsets = next_offsets

    async def held(
        self, reached: Mapping[int, Checkpoint], product_ids: Collection[UUID]
    ) -> Mapping[UUID, Held[S]] | None:
        if not self._next_offsets.keys() >= reached.keys():
            return None
        async with self._begin({}) as batch:
            return await batch.held(product_ids)

    async def save(
        self, reached: Mapping[int, Checkpoint], held: Mapping[UUID, Held[S]], changes: Sequence[Change[S]]
    ) -> bool:
        if not all(map(self._is_free, reached)):
            return False
        try:
            async with self._begin(reached) as batch:
                now = await batch.held([change.product_id for change in changes])
                for change in changes:
                    one = change.product_id
                    if now.get(one, NOTHING).stream_version != held.get(one, NOTHING).stream_version:
                        raise Refused("a product is not as it was known")
                await batch.save(changes)
        except (Fenced, Refused):
            return False
        return True
