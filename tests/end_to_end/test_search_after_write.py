"""A search that carries the token of a write shows it, whatever else is written meanwhile."""

import asyncio
import itertools

import pytest

from tests.end_to_end.catalogue import Catalogue, unique, variant

pytestmark = pytest.mark.servers
WRITERS = 8


async def test_a_search_with_the_token_of_a_write_finds_it(catalogue: Catalogue) -> None:
    word = unique("regenschirm")
    created = await catalogue.create(
        name=f"Blauer {word}", brand="Söhne", tags=["neu"], variants=[variant(unique("SCHIRM"))]
    )
    path = f"/v1/products/{created['id']}"
    assert (await catalogue.write("POST", f"{path}/publish")).status_code == 200
    found = await catalogue.read(f"/v1/products?q={word}&facets=brand&with_total=true")
    assert [item["id"] for item in found.json()["items"]] == [created["id"]]
    assert found.json()["facets"]["brand"] == [{"value": "Söhne", "count": 1}]
    other = unique("sonnenschirm")
    assert (await catalogue.write("PATCH", path, {"name": f"Blauer {other}"})).status_code == 200
    assert (await catalogue.read(f"/v1/products?q={word}")).json()["items"] == []
    assert [one["name"] for one in (await catalogue.read(f"/v1/products?q={other}")).json()["items"]] == [
        f"Blauer {other}"
    ]
    assert (await catalogue.write("DELETE", path)).status_code == 204
    assert (await catalogue.read(f"/v1/products?q={other}")).json()["items"] == []


async def _search_after_each_write(catalogue: Catalogue, writes: int) -> None:
    """Writers at the same time; each looks for its own product after each of its writes."""

    async def writer(number: int) -> None:
        sku = unique(f"sku{number}")
        created = await catalogue.create(name="Any", variants=[variant(sku)])
        path = f"/v1/products/{created['id']}"
        await catalogue.write("POST", f"{path}/publish")
        for turn in itertools.islice(itertools.count(), writes // WRITERS):
            word = f"w{number}x{turn}"
            answer = await catalogue.write("PATCH", path, {"name": f"Name {word}"})
            assert answer.status_code == 200
            token = {"consistency-token": answer.headers["consistency-token"], "prefer": "wait=10"}
            found = await catalogue.read_as_it_is(f"/v1/products?q=%22{word}%22&sku={sku}", **token)
            assert found.status_code == 200, found.text
            names = [(item["name"], item["version"]) for item in found.json()["items"]]
            assert names == [(f"Name {word}", turn + 3)]

    await asyncio.gather(*map(writer, range(WRITERS)))


async def test_a_search_misses_no_write_of_many(catalogue: Catalogue) -> None:
    await _search_after_each_write(catalogue, 200)


@pytest.mark.prove
async def test_a_search_misses_no_write_of_two_thousand(catalogue: Catalogue) -> None:
    """Ten thousand take ten minutes, and found nothing else."""
    await _search_after_each_write(catalogue, 2_000)
