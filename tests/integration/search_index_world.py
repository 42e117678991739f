"""A search index in a real OpenSearch as the projector keeps it, beside a real read model for its dead
letters.
"""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from deploy.local.opensearch import OpenSearchServer
from projector.errors import Unavailable
from projector.parking.postgres.parking import DEFAULT_LIMITS, ParkingLimits, parking_alone
from projector.views.search_index.opensearch.documents import IndexedProducts
from projector.views.search_index.opensearch.indexes import SearchIndexes
from projector.views.search_index.opensearch.view import OpenSearchView
from shared.contract.views import encode_document
from shared.ops.secret import Secret
from shared.search.opensearch.address import SearchAddress
from shared.search.opensearch.client import OpenSearchClient
from tests.integration.projector_world import PARTITIONS, World
from tests.integration.projector_world import world as plain_world
from tests.integration.rebuild_world import Writer
from tests.integration.view_world import PROJECTION
from tests.unit.projector.records import folded

__all__ = ["plain_world"]


@pytest.fixture
def search_url(opensearch_server: OpenSearchServer) -> str:
    opensearch_server.ensure_running()
    return opensearch_server.url


@pytest_asyncio.fixture
async def opensearch(search_url: str) -> AsyncIterator[OpenSearchClient]:
    async with OpenSearchClient(
        SearchAddress(Secret(search_url)), connections_max=4, seconds_max=60, connect_seconds_max=10
    ) as client:
        yield client


@pytest.fixture
def search_prefix() -> str:
    """Of the indexes of one test."""
    return f"t{uuid4().hex}"


@pytest_asyncio.fixture
async def indexes(opensearch: OpenSearchClient, search_prefix: str) -> AsyncIterator[SearchIndexes]:
    """None is there yet."""
    indexes = SearchIndexes(opensearch, search_prefix, shards=1, replicas=0)
    yield indexes
    numbers, _ = await indexes.numbers()
    for number in numbers:
        await indexes.drop(number)


@pytest_asyncio.fixture
async def live(indexes: SearchIndexes) -> SearchIndexes:
    """With an empty live index."""
    await indexes.make(1, is_live=True)
    return indexes


def search_view(
    indexes: SearchIndexes, read_model: Any, limits: ParkingLimits = DEFAULT_LIMITS
) -> OpenSearchView:
    return OpenSearchView(indexes, partial(parking_alone, read_model, PROJECTION, limits), PARTITIONS)


@pytest_asyncio.fixture
async def world(plain_world: World, search_url: str, search_prefix: str) -> World:
    changed = {
        "search_url": Secret(search_url),
        "search_index_prefix": search_prefix,
        "search_index_replicas": 0,
    }
    plain_world.settings = plain_world.settings.model_copy(update=changed)
    return plain_world


async def all_indexed(indexes: SearchIndexes, writer: Writer) -> None:
    """What the log says, also if no search sees it yet."""
    products = IndexedProducts(indexes, indexes.alias, PARTITIONS)
    try:
        assert await indexes.live() is not None
        stored = await products.stored([stream[0].product_id for stream in writer.streams])
    except Unavailable as error:
        raise AssertionError("it recovers") from error
    for stream in writer.streams:
        version, document = folded(stream)
        one = stored.get(stream[0].product_id)
        assert one is not None
        assert one.version == version
        if document is not None:
            assert encode_document(document) in one.source
        else:
            assert b"document" not in one.source
