"""Searches from the memory of the process: the same answer, until the next commit of the search index."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec import structs

from query_api.search.tantivy.index import TantivyIndex
from tests.integration.kept_answers import (
    ACCESS,
    EDITOR,
    PATIENT,
    READER,
    from_process,
    ids_of,
    lasting_headers,
    not_from_process,
)
from tests.integration.query_world import World, installation, product, token_for
from tests.integration.search_index import Index
from tests.servers import DatabaseDsns

pytestmark = pytest.mark.servers
PATHS = [
    "/v1/products?q=shirt&facets=brand&with_total=true",
    "/v1/products?brand=Wren",
    "/v1/products?sort=id&limit=1",
    "/v1/products?q=shirt&fields=name",
]


@pytest_asyncio.fixture
async def world(read_model_dsns: DatabaseDsns, redis_url: str) -> AsyncIterator[World]:
    async with installation(read_model_dsns, redis_url, **PATIENT, **ACCESS) as own, own.world() as one:
        for client in (one.served, one.framework):
            client.headers.update(EDITOR)
        yield one


@pytest.fixture
def index(world: World, tmp_path: Path) -> Iterator[Index]:
    made = Index(world, tmp_path)
    yield made
    made.index.close()


@pytest.mark.parametrize("path", PATHS)
async def test_the_answer_is_that_of_the_framework(world: World, index: Index, path: str) -> None:
    for _ in range(2):
        document = product(name="A shirt", brand="Wren")
        await world.store(document)
        await world.cache(document)
        index.apply(document)
    await not_from_process(world.served, path)
    kept = await from_process(world.served, path)
    same = await world.framework.get(path)
    assert kept.content == same.content
    always = {name: value for name, value in lasting_headers(kept).items() if name in same.headers}
    assert always == lasting_headers(same)
    head = await world.served.head(path)
    assert (head.content, lasting_headers(head)) == (b"", lasting_headers(kept))


@pytest.mark.parametrize("path", PATHS)
async def test_the_next_commit_ends_a_page(world: World, index: Index, path: str) -> None:
    one = product(name="A shirt", brand="Wren")
    await world.store(one)
    index.apply(one)
    await world.served.get(path)
    await from_process(world.served, path)
    changed = structs.replace(one, name="Another shirt", version=2)
    await world.store(changed)
    index.apply(changed)
    answer = await not_from_process(world.served, path)
    assert answer.json()["items"][0]["name"] == "Another shirt"
    await from_process(world.served, path)


async def test_another_index_ends_a_page(world: World, index: Index, tmp_path: Path) -> None:
    one = product(name="A shirt")
    await world.store(one)
    index.apply(one)
    await world.served.get("/v1/products?q=shirt")
    await from_process(world.served, "/v1/products?q=shirt")
    rebuilt = TantivyIndex(tmp_path / "rebuilt")
    assert world.api.search.own is not None
    world.api.search.own.live.switch(rebuilt)
    assert ids_of(await not_from_process(world.served, "/v1/products?q=shirt")) == []
    rebuilt.close()


async def test_a_page_with_a_document_older_than_its_hit_is_not_kept(world: World, index: Index) -> None:
    """The views are late: the next reader gets the newer document."""
    one = product(name="A shirt")
    await world.store(one)
    index.apply(structs.replace(one, name="Another shirt", version=2))
    for _ in range(2):
        await not_from_process(world.served, "/v1/products?q=another")
    index.apply(one, deleted=(one.id,))


async def test_a_page_for_a_token_is_not_kept_and_not_taken(world: World, index: Index) -> None:
    one = product(name="A shirt")
    await world.store(one)
    position = index.apply(one)
    await world.pass_checkpoint(one.id, position)
    token = {"consistency-token": token_for(one.id, position)}
    for _ in range(2):
        await not_from_process(world.served, "/v1/products?q=shirt", headers=token)
    await not_from_process(world.served, "/v1/products?q=shirt")
    await from_process(world.served, "/v1/products?q=shirt")
    await not_from_process(world.served, "/v1/products?q=shirt", headers=token)


async def test_counts_are_for_those_who_may_know_them(world: World, index: Index) -> None:
    for document in (product(name="A shirt"), product(name="Secret shirt", status="draft")):
        await world.store(document)
        index.apply(document)
    path = "/v1/products?q=shirt&facets=status"
    for _ in range(2):
        of_editor = await world.served.get(path)
        of_reader = await world.served.get(path, headers=READER)
        assert [one["value"] for one in of_editor.json()["facets"]["status"]] == ["active", "draft"]
        assert [one["value"] for one in of_reader.json()["facets"]["status"]] == ["active"]
    await from_process(world.served, path)
    await from_process(world.served, path, headers=READER)
