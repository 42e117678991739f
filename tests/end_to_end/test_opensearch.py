"""An installation whose searches are answered by OpenSearch: read your writes, and nothing lost by faults."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.opensearch import OpenSearchServer
from tests.end_to_end.catalogue import Catalogue
from tests.end_to_end.evidence import must_be_consistent
from tests.end_to_end.searching import search_after_each_write
from tests.end_to_end.system import PATIENCE_OF_TESTS, Servers, System
from tests.eventually import eventually

pytestmark = [pytest.mark.servers, pytest.mark.prove]
WRITES = 2_000


@pytest.fixture(scope="module")
def searching(
    servers: Servers, opensearch_server: OpenSearchServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    opensearch_server.ensure_running()
    settings = {**PATIENCE_OF_TESTS, "SEARCH_URL": opensearch_server.url, "SEARCH_INDEX_REPLICAS": "0"}
    system = System(servers, Path(tmp_path_factory.mktemp("opensearch")), settings)
    try:
        system.start()
        yield system
    finally:
        system.close()


async def test_a_search_misses_no_write_of_two_thousand(searching: System) -> None:
    async with Catalogue(searching.command_url, searching.query_url) as catalogue:
        await search_after_each_write(catalogue, WRITES)
    await must_be_consistent(searching)


async def test_after_a_killed_projector_and_a_killed_server_nothing_is_missing(
    searching: System, opensearch_server: OpenSearchServer
) -> None:
    async with Catalogue(searching.command_url, searching.query_url) as catalogue:
        writing = asyncio.create_task(search_after_each_write(catalogue, 400, is_refused=True))
        await asyncio.to_thread(searching.projector.kill)
        await asyncio.to_thread(searching.projector.ensure_running)
        await asyncio.to_thread(opensearch_server.kill)
        await asyncio.to_thread(opensearch_server.ensure_running)
        await writing
    await eventually(lambda: _is_ready(searching), 60)
    await must_be_consistent(searching)


async def _is_ready(system: System) -> None:
    assert all(process.is_ready() for process in system.processes)
