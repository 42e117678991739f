"""A search that carries the token of a write shows it, through all processes."""

import asyncio

import pytest

from tests.end_to_end.catalogue import Catalogue, segment, unique, variant
from tests.end_to_end.system import System
from tests.eventually import eventually

pytestmark = pytest.mark.servers
WRITES = 20


async def test_a_search_with_the_token_of_a_write_finds_it_at_once(catalogue: Catalogue) -> None:
    async def ids(name: str, token: str) -> list[str]:
        answer = await catalogue.read_as_it_is(
            f"/v1/products?q={segment(name)}&status=draft", consistency_token=token, prefer="wait=10"
        )
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    async def write_and_search(number: int) -> None:
        first, second = unique(f"lantern{number}"), unique(f"torch{number}")
        body = {"name": first, "variants": [variant(unique("L"))]}
        answer = await catalogue.write("POST", "/v1/products", body)
        product_id = answer.json()["id"]
        assert await ids(first, answer.headers["consistency-token"]) == [product_id]
        answer = await catalogue.write("PATCH", f"/v1/products/{product_id}", {"name": second})
        assert await ids(second, answer.headers["consistency-token"]) == [product_id]
        assert await ids(first, answer.headers["consistency-token"]) == []
        answer = await catalogue.write("DELETE", f"/v1/products/{product_id}")
        assert await ids(second, answer.headers["consistency-token"]) == []

    await asyncio.gather(*(write_and_search(number) for number in range(WRITES)))


async def test_a_restarted_process_and_an_operators_rebuild_find_the_same(
    catalogue: Catalogue, system: System
) -> None:
    name = unique("beacon")
    created = await catalogue.create(name=name, variants=[variant(unique("B"))])
    query = f"q={segment(name)}&status=draft"
    assert await catalogue.ids(query) == [created["id"]]
    system.query_api.restart()
    assert await catalogue.ids(query) == [created["id"]]
    answer = await catalogue.read("/v1/status")
    search = answer.json()["search"]
    assert search["state"] == "following"
    assert search["positions"]

    async def follows() -> None:
        shown = (await catalogue.read("/v1/status")).json()["search"]
        assert (shown["lag_states"], shown["is_rebuilding"]) == (0, False)

    await eventually(follows)
