"""How far the search index is, in documents of the index itself: one for each partition.

They share the fate of the products: an index that is lost, or comes back older from a snapshot, says so, and
a switch to another index switches both. A write names the document that it replaces (`if_seq_no`), so a
process that was replaced is refused; so is one that has not seen a switch, because it writes to the index
that it knows.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple
from uuid import UUID

import msgspec

from projector.applying.ports import Checkpoint
from projector.errors import Fenced, NotYet
from projector.views.search_index.opensearch.answers import Stored
from projector.views.search_index.opensearch.failures import SERVER
from projector.views.search_index.opensearch.indexes import SearchIndexes, Write
from shared.search.opensearch.documents import checkpoint_key, checkpoint_source


class Place(NamedTuple):
    """A checkpoint, and the document that has it."""

    point: Checkpoint
    index_name: str
    seq_no: int
    primary_term: int


class _Source(msgspec.Struct):
    log_position: int
    log_id: UUID
    next_offset: int


_source = msgspec.json.Decoder(_Source)


class IndexCheckpoints:
    """Reads and moves checkpoints. Methods raise `Unavailable`."""

    def __init__(self, indexes: SearchIndexes) -> None:
        self._indexes = indexes

    async def read(self, partitions: Collection[int], where: str | None = None) -> dict[int, Place]:
        """In the live index, or in another one; partitions without a checkpoint are absent."""
        keys = {checkpoint_key(one): one for one in partitions}
        found = await self._indexes.get(where or self._indexes.alias, keys)
        return {keys[key]: _place(one) for key, one in found.items()}

    async def live_name(self) -> str:
        """The live index."""
        live = await self._indexes.live()
        if live is None:
            raise NotYet(f"{SERVER} has no search index yet: it is made from the log first")
        return self._indexes.name(live)

    async def move(
        self, name: str, points: Mapping[int, Checkpoint], known: Mapping[int, Place]
    ) -> dict[int, Place]:
        """In this index, from `known`; a partition that is absent there has no checkpoint yet. Raises
        `Fenced`.
        """
        written = await self._indexes.write(
            name, [_write(partition, point, known.get(partition)) for partition, point in points.items()]
        )
        moved = {}
        for (partition, point), one in zip(points.items(), written, strict=True):
            if one.seq_no is None or one.primary_term is None:
                raise Fenced(f"another process has moved the checkpoint of partition {partition} in {name}")
            moved[partition] = Place(point, name, one.seq_no, one.primary_term)
        return moved

    async def place(self, name: str, points: Mapping[int, Checkpoint]) -> None:
        """Set them, whatever they are: for the owner of a rebuild, or an operator."""
        await self._indexes.write(name, [_write(one, point, None, "index") for one, point in points.items()])


def _write(partition: int, point: Checkpoint, known: Place | None, new: str = "create") -> Write:
    source = checkpoint_source(partition, point.log_position, point.log_id, point.next_offset)
    if known is None:
        return Write(new, checkpoint_key(partition), {}, source)
    terms = {"if_seq_no": known.seq_no, "if_primary_term": known.primary_term}
    return Write("index", checkpoint_key(partition), terms, source)


def _place(stored: Stored) -> Place:
    source = _source.decode(stored.source)
    point = Checkpoint(source.next_offset, source.log_position, source.log_id)
    return Place(point, stored.index_name, stored.seq_no, stored.primary_term)
