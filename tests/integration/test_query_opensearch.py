"""Searches over HTTP with OpenSearch: what is found, waited for, and refused while it is away."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from deploy.local.opensearch import OpenSearchServer
from query_api.errors import SearchUnavailable
from shared.contract.addresses import partition_of
from shared.contract.views import ProductDocument, encode_document
from shared.ops.secret import Secret
from shared.search.entry import entry_of
from shared.search.opensearch import documents
from shared.search.opensearch.address import SearchAddress
from shared.search.opensearch.client import OpenSearchClient
from shared.search.opensearch.mapping import alias_of, index_body
from tests.eventually import eventually
from tests.integration.query_world import LOG_ID, World, installation, product, token_for
from tests.servers import DatabaseDsns

pytestmark = [pytest.mark.servers, pytest.mark.prove]
SECONDS_MAX = 30.0
PREFIX = "read-over-http"
ALIAS = alias_of(PREFIX)
ONE = UUID(int=1)


class Shop:
    """A query API with OpenSearch, and hands for what its projection does."""

    def __init__(self, world: World, client: OpenSearchClient) -> None:
        self.world = world
        self.client = client

    async def make_index(self) -> None:
        await self._send("PUT", ALIAS, index_body(replicas=0))

    async def show(self, document: ProductDocument, log_position: int) -> None:
        """In the table and in the index, and the checkpoint of its partition after it."""
        await self.world.store(document)
        partition = partition_of(document.id, 12)
        source = documents.product_source(
            entry_of(document), encode_document(document), log_position, partition
        )
        await self._send("PUT", f"{ALIAS}/_doc/{documents.product_key(document.id)}?refresh=true", source)
        checkpoint = documents.checkpoint_source(partition, log_position, LOG_ID)
        await self._send("PUT", f"{ALIAS}/_doc/{documents.checkpoint_key(partition)}", checkpoint)
        await self.world.pass_checkpoint(document.id, log_position)

    async def search(self, query: str, status: int = 200, **headers: str) -> Any:
        answer = await self.world.served.get(f"/v1/products?{query}", headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def _send(self, method: str, path: str, body: Any) -> None:
        await self.client.request(method, path, msgspec.json.encode(body))


@pytest_asyncio.fixture
async def shop(
    read_model_dsns: DatabaseDsns, redis_url: str, opensearch_server: OpenSearchServer
) -> AsyncIterator[Shop]:
    opensearch_server.ensure_running()
    url = Secret(opensearch_server.url)
    async with (
        OpenSearchClient(
            SearchAddress(url), connections_max=2, seconds_max=60.0, connect_seconds_max=60.0
        ) as client,
        installation(
            read_model_dsns,
            redis_url,
            search_url=url,
            search_index_prefix=PREFIX,
            search_seconds_max=SECONDS_MAX,
            wait_seconds_max=60.0,
        ) as installed,
        installed.world() as world,
    ):
        yield Shop(world, client)
        opensearch_server.ensure_running()
        await client.request("DELETE", f"{ALIAS}*")


async def test_a_search_has_documents_counts_and_corrections(shop: Shop) -> None:
    await shop.make_index()
    await shop.show(product(id=ONE, name="Linen shirt", brand="Wren"), 1)
    page = await shop.search("q=linnen&facets=brand&with_total=true")
    assert [item["name"] for item in page["items"]] == ["Linen shirt"]
    assert (page["corrected"], page["total"]) == ("linen", 1)
    assert page["facets"]["brand"] == [{"value": "Wren", "count": 1}]
    suggested = await shop.world.served.get("/v1/products/suggest?q=wr")
    assert suggested.json()["brands"] == [{"value": "Wren", "count": 1}]


async def test_a_reader_with_a_token_waits_for_the_index(shop: Shop) -> None:
    await shop.make_index()
    token = {"consistency-token": token_for(ONE, 7)}
    behind = await shop.search("q=linen", 503, **{**token, "prefer": "wait=0"})
    assert behind["code"] == "read-model-behind"
    await shop.show(product(id=ONE, name="Linen shirt"), 7)
    page = await shop.search("q=linen", **{**token, "prefer": "wait=60"})
    assert len(page["items"]) == 1


async def test_without_an_index_searches_are_refused_and_other_reads_are_not(shop: Shop) -> None:
    refused = await shop.search("q=linen", 503)
    assert (refused["code"], refused["detail"]) == ("search-unavailable", "the search index is being built")
    assert (await shop.world.served.get("/v1/products")).status_code == 200
    status = await shop.world.served.get("/v1/status")
    assert (status.json()["search"]["engine"], status.json()["search"]["state"]) == ("opensearch", "missing")
    await shop.make_index()
    await shop.show(product(id=ONE), 3)
    status = await shop.world.served.get("/v1/status")
    assert status.json()["search"]["state"] == "following"
    assert status.json()["search"]["positions"] == {str(partition_of(ONE, 12)): 3}


async def test_a_dead_opensearch_refuses_searches_alone_and_comes_back(
    shop: Shop, opensearch_server: OpenSearchServer
) -> None:
    await shop.make_index()
    await shop.show(product(id=ONE, name="Linen shirt"), 1)
    report = shop.world.api.search.report
    assert report is not None
    await report.check()
    opensearch_server.kill()
    for _ in range(8):
        refused = await shop.search("q=linen", 503)
        assert (refused["code"], refused.get("detail")) == ("search-unavailable", None), "for operators"
    assert (await shop.world.served.get(f"/v1/products/{ONE}")).status_code == 200
    with pytest.raises(SearchUnavailable):
        await report.check()
    opensearch_server.start()

    async def answers() -> None:
        assert len((await shop.search("q=linen"))["items"]) == 1

    await eventually(answers, 60.0)
