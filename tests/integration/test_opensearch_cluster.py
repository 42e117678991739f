"""A search index of several shards with replicas, whose nodes are killed or hang: what was shown once is
never missing, whichever copy answers, and totals, counts and order are those of the whole index.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Never
from uuid import UUID

import pytest
import pytest_asyncio

from deploy.local.opensearch import OpenSearchServer
from projector.applying.ports import Change, Checkpoint
from projector.errors import Unavailable
from projector.views.search_index.opensearch.indexes import SearchIndexes
from projector.views.search_index.opensearch.view import OpenSearchView
from query_api.errors import SearchUnavailable
from query_api.search.opensearch.checkpoints import OpenSearchCheckpoints
from query_api.search.opensearch.engine import OpenSearchEngine
from query_api.search.opensearch.searches import Searches
from query_api.search.query import SearchFilters, SearchQuery
from shared.contract.addresses import partition_of
from shared.ops.breaker import CircuitBreaker
from shared.ops.secret import Secret
from shared.search.opensearch.address import SearchAddress
from shared.search.opensearch.client import OpenSearchClient, OpenSearchUnavailable
from tests.eventually import eventually
from tests.integration.query_world import LOG_ID, product
from tests.opensearch_cluster import OpenSearchCluster

pytestmark = [pytest.mark.servers, pytest.mark.prove]
PARTITIONS = 12
SHARDS, REPLICAS = 5, 1
SECONDS_MAX = 30.0


class Index(NamedTuple):
    """A live index: its writer, and a reader of it."""

    view: OpenSearchView
    engine: OpenSearchEngine
    checkpoints: OpenSearchCheckpoints
    client: OpenSearchClient


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSearchCluster]:
    made = OpenSearchCluster(Path(tmp_path_factory.mktemp("cluster")))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest_asyncio.fixture
async def index(cluster: OpenSearchCluster) -> AsyncIterator[Index]:
    """Through the first node, which is never killed."""
    address = SearchAddress(Secret(cluster.nodes[0].url))
    async with OpenSearchClient(
        address, connections_max=8, seconds_max=SECONDS_MAX, connect_seconds_max=SECONDS_MAX
    ) as client:
        indexes = SearchIndexes(client, "clustered", shards=SHARDS, replicas=REPLICAS)
        await indexes.make(1, is_live=True)
        await eventually(lambda: _is_complete(client), 60)
        searches = Searches(
            client,
            indexes.alias,
            searches_max=4,
            waiting_max=8,
            seconds_max=SECONDS_MAX,
            breaker=CircuitBreaker(failures_max=1_000_000, open_seconds=0.1),
        )
        view = OpenSearchView(indexes, _no_parking, PARTITIONS)
        await view.checkpoints(range(PARTITIONS))
        checkpoints = OpenSearchCheckpoints(searches, "events", partition_count=PARTITIONS)
        yield Index(view, OpenSearchEngine(searches), checkpoints, client)
        await indexes.drop(1)


def _no_parking() -> Never:
    raise AssertionError("nothing is parked")


async def _is_complete(client: OpenSearchClient) -> None:
    try:
        await client.request("GET", "_cluster/health?wait_for_status=green&timeout=1s")
    except OpenSearchUnavailable as error:
        raise AssertionError("a copy is missing") from error


async def _show(index: Index, number: int) -> None:
    """Product `number`, as the projector does it: again until it is accepted."""
    shown = product(id=UUID(int=number), brand=f"Brand {number % 2}")
    change: Change[Any] = Change(shown.id, 1, number, None, shown, shown)
    reached = {partition_of(shown.id, PARTITIONS): Checkpoint(number, number, LOG_ID)}
    while True:
        try:
            await index.view.checkpoints(range(PARTITIONS))
            async with index.view.begin(reached) as batch:
                await batch.save([change])
            return
        except Unavailable:
            await asyncio.sleep(0)


async def _must_show(index: Index, number: int) -> None:
    """Products 1 to `number` and no other, three times: other copies answer. Refused is not wrong."""
    everything = SearchQuery(SearchFilters(sort="id"), None, 1_000, ("brand",), with_total=True)
    left = 3
    while left:
        try:
            positions = await index.checkpoints.positions()
            found = await index.engine.search(everything)
        except SearchUnavailable:
            await asyncio.sleep(0)
            continue
        assert max(positions.values()) == number
        assert found.total == number
        assert [hit.product_id.int for hit in found.hits] == list(range(1, number + 1))
        assert found.facets is not None
        assert sum(one.products for one in found.facets.values["brand"]) == number
        left -= 1


async def test_a_search_misses_no_write_while_nodes_are_killed(
    cluster: OpenSearchCluster, index: Index
) -> None:
    number = 0

    async def write(count: int) -> None:
        nonlocal number
        for _ in range(count):
            number += 1
            await _show(index, number)
            await _must_show(index, number)

    await write(10)
    for node in cluster.nodes[1:]:
        writing = asyncio.create_task(write(25))
        await asyncio.to_thread(node.kill)
        await writing
        await asyncio.to_thread(_start, node)
        await write(10)
        await eventually(lambda: _is_complete(index.client), 120)
    await _must_show(index, number)


async def test_a_search_misses_no_write_while_a_node_hangs_and_when_it_wakes_up(
    cluster: OpenSearchCluster, index: Index
) -> None:
    """The cluster needs half a minute to notice. Then the node wakes up with what it had before."""
    for number in range(1, 11):
        await _show(index, number)
    hanging = cluster.nodes[2]
    await asyncio.to_thread(hanging.pause)
    try:
        for number in range(11, 21):
            await _show(index, number)
            await _must_show(index, number)
    finally:
        await asyncio.to_thread(hanging.resume)
    for number in range(21, 41):
        await _show(index, number)
        await _must_show(index, number)
    await eventually(lambda: _is_complete(index.client), 120)
    await _must_show(index, 40)


def _start(node: OpenSearchServer) -> None:
    node.ensure_running()
