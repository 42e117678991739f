"""The live index of a query API under test, and hands for what the feed would do."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from query_api.search.ports import IndexCheckpoint, IndexedState
from query_api.search.tantivy.index import TantivyIndex
from shared.contract.addresses import partition_of
from shared.contract.views import ProductDocument, encode_document
from tests.integration.query_world import World


class Index:
    """Its states get positions one after the other, over all partitions."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self.index = TantivyIndex(folder)
        assert world.api.search.own is not None
        self._live = world.api.search.own
        self._live.live.switch(self.index)
        self._live.progress.begin({})
        self._position = 0

    def apply(self, *documents: ProductDocument, deleted: tuple[UUID, ...] = ()) -> int:
        """Returns the position of the last one."""
        states = []
        for product_id, version, body in [
            *((one.id, one.version, encode_document(one)) for one in documents),
            *((product_id, 99, None) for product_id in deleted),
        ]:
            self._position += 1
            partition = partition_of(product_id, self._world.settings.partition_count)
            states.append(IndexedState(product_id, version, self._position, partition, body))
        positions = {state.partition: state.log_position for state in states}
        self.index.apply(states, IndexCheckpoint({}, {}, None, 0.0))
        self._live.progress.advance(states, positions)
        return self._position


@pytest.fixture
def index(world: World, tmp_path: Path) -> Iterator[Index]:
    made = Index(world, tmp_path)
    yield made
    made.index.close()
