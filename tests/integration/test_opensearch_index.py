"""The index of products in a real OpenSearch: its mapping takes what the documents have, and nothing else."""

from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from deploy.local.opensearch import OpenSearchServer
from shared.contract.views import encode_document
from shared.ops.secret import Secret
from shared.search.entry import entry_of
from shared.search.opensearch import documents
from shared.search.opensearch.address import SearchAddress
from shared.search.opensearch.client import OpenSearchClient, OpenSearchRefused, OpenSearchUnavailable
from shared.search.opensearch.mapping import index_body, index_name
from tests.integration.query_world import product

pytestmark = [pytest.mark.servers, pytest.mark.prove]
INDEX = index_name("mapping", 1)
_encode = msgspec.json.encode


@pytest_asyncio.fixture
async def client(opensearch_server: OpenSearchServer) -> AsyncIterator[OpenSearchClient]:
    opensearch_server.ensure_running()
    address = SearchAddress(Secret(opensearch_server.url))
    async with OpenSearchClient(address, connections_max=4, seconds_max=60, connect_seconds_max=60) as client:
        await client.request("PUT", INDEX, _encode(index_body(replicas=0)))
        yield client
        opensearch_server.ensure_running()
        await client.request("DELETE", INDEX)


async def put(client: OpenSearchClient, key: str, source: object, **parameters: object) -> None:
    await client.request("PUT", f"{INDEX}/_doc/{key}", _encode(source), parameters=parameters)


async def test_each_kind_of_document_is_taken_and_comes_back_as_it_was(client: OpenSearchClient) -> None:
    given = product(id=UUID(int=1), attributes={"big": 1.5, "list": [1, "a"], "on": True})
    document = encode_document(given)
    await put(client, "1", documents.product_source(entry_of(given), document, 7, 3))
    await put(client, "2", documents.tombstone_source(UUID(int=2), 5, 8, 3))
    await put(client, documents.checkpoint_key(3), documents.checkpoint_source(3, 8, UUID(int=9)))
    answer = await client.request("GET", f"{INDEX}/_doc/1")
    assert document in answer, "byte for byte"


async def test_a_field_that_nobody_declared_is_refused(client: OpenSearchClient) -> None:
    with pytest.raises(OpenSearchRefused) as refused:
        await put(client, "1", {"colour": "red"})
    assert (refused.value.status, refused.value.kind) == (400, "strict_dynamic_mapping_exception")


async def test_an_older_version_that_comes_late_is_refused(client: OpenSearchClient) -> None:
    external = {"version_type": "external"}
    await put(client, "2", documents.tombstone_source(UUID(int=2), 5, 8, 3), version=5, **external)
    with pytest.raises(OpenSearchRefused) as refused:
        await put(client, "2", documents.tombstone_source(UUID(int=2), 4, 7, 3), version=4, **external)
    assert refused.value.status == 409


async def test_a_server_that_is_away_hangs_or_comes_back(
    client: OpenSearchClient, opensearch_server: OpenSearchServer
) -> None:
    opensearch_server.pause()
    with pytest.raises(OpenSearchUnavailable, match=r"within 0\.5 s"):
        await client.request("GET", INDEX, seconds_max=0.5)
    opensearch_server.resume()
    opensearch_server.kill()
    with pytest.raises(OpenSearchUnavailable):
        await client.request("GET", INDEX)
    opensearch_server.start()
    assert INDEX.encode() in await client.request("GET", INDEX), "the client has found its way back"
