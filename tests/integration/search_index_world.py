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
from projector.parking.postgres.parking import DEFAULT_LIMITS, ParkingLimits, parking_alone
from projector.views.search_index.opensearch.indexes import SearchIndexes
from projector.views.search_index.opensearch.view import OpenSearchView
from shared.ops.secret import Secret
from shared.search.opensearch.address import SearchAddress
from shared.search.opensearch.client import OpenSearchClient
from tests.integration.projector_world import PARTITIONS
from tests.integration.view_world import PROJECTION


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
