"""Compares the documents of the live search index with those that the log gives."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from projector.applying.ports import Change
from projector.rebuild.difference import VERIFIED, difference
from projector.rebuild.verify_ports import Standing
from projector.views.search_index.opensearch.answers import Stored
from projector.views.search_index.opensearch.documents import IndexedProducts, as_stored, fields
from shared.contract.addresses import partition_of
from shared.contract.views import ProductDocument


class SearchIndexCheck:
    """Implements `ViewCheck`. `positions`: up to which the index had each partition, read before `parked`."""

    def __init__(
        self,
        products: IndexedProducts,
        positions: Mapping[int, int],
        parked: Collection[UUID],
        partition_count: int,
    ) -> None:
        self.log_position = max(positions.values(), default=0)
        self._products = products
        self._positions = positions
        self._parked = parked
        self._partition_count = partition_count
        self._stored: Mapping[UUID, Stored] = {}

    async def standing(self, product_ids: Collection[UUID]) -> Mapping[UUID, Standing]:
        """Remembers the documents, which `unexpected` compares."""
        self._stored = await self._products.stored(product_ids)
        return {
            one: Standing(
                self._stored[one].version if one in self._stored else 0,
                self._positions.get(partition_of(one, self._partition_count), 0),
                one in self._parked,
            )
            for one in product_ids
        }

    async def unexpected(
        self, product_ids: Collection[UUID], changes: Sequence[Change[ProductDocument]]
    ) -> list[str]:
        expected = {change.product_id: as_stored(self._products.source(change)) for change in changes}
        lines = []
        for one in product_ids:
            stored = fields(self._stored[one].source) if one in self._stored else None
            if stored != expected.get(one):
                lines.append(f"{one}: {difference(stored, expected.get(one), VERIFIED)}")
        return lines

    async def unexpected_shared(self) -> list[str]:
        """Products share no documents."""
        return []
