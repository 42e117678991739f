"""For any catalogue and any query each engine answers as one that looks at each product."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.local.opensearch import OpenSearchServer
from query_api.search.query import SearchQuery
from shared.contract.views import ProductDocument
from tests.any_search import documents, queries
from tests.searching import InMemoryCatalogue, OpenSearchCatalogue, TantivyCatalogue


@given(stored=st.lists(documents(), max_size=8), asked=st.lists(queries(), min_size=1, max_size=4))
@settings(deadline=None, max_examples=40)
def test_every_answer_is_that_of_looking_at_each_product(
    stored: list[ProductDocument], asked: list[SearchQuery]
) -> None:
    reference = InMemoryCatalogue()
    reference.put(*stored)

    async def compare(embedded: TantivyCatalogue) -> None:
        for query in asked:
            assert await embedded.engine.search(query) == await reference.engine.search(query)

    with tempfile.TemporaryDirectory() as folder:
        embedded = TantivyCatalogue(Path(folder))
        # In two segments.
        embedded.put(*stored[:4])
        embedded.put(*stored[4:])
        asyncio.run(compare(embedded))
        embedded.close()


@pytest.fixture(scope="module", params=[1, 5], ids=["one-shard", "five-shards"])
def opensearch(
    request: pytest.FixtureRequest, opensearch_server: OpenSearchServer
) -> Iterator[tuple[OpenSearchCatalogue, asyncio.Runner]]:
    """And the loop of all examples: the client keeps its connections."""
    with asyncio.Runner() as runner:
        catalogue = OpenSearchCatalogue(opensearch_server, shards=request.param)
        yield catalogue, runner
        runner.run(catalogue.client.close())
        catalogue.close()


@pytest.mark.servers
@pytest.mark.prove
@given(stored=st.lists(documents(), max_size=8), asked=st.lists(queries(), min_size=1, max_size=8))
@settings(deadline=None, max_examples=100)
def test_every_answer_of_opensearch_is_that_of_looking_at_each_product(
    stored: list[ProductDocument],
    asked: list[SearchQuery],
    opensearch: tuple[OpenSearchCatalogue, asyncio.Runner],
) -> None:
    catalogue, runner = opensearch
    reference = InMemoryCatalogue()
    reference.put(*stored)
    catalogue.replace(*stored)

    async def compare() -> None:
        for query in asked:
            assert await catalogue.engine.search(query) == await reference.engine.search(query)

    runner.run(compare())
