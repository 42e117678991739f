"""A search that carries the token of a write shows it, whatever else is written meanwhile."""

import pytest

from tests.end_to_end.catalogue import Catalogue, unique, variant
from tests.end_to_end.searching import search_after_each_write

pytestmark = pytest.mark.servers


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


async def test_a_search_misses_no_write_of_many(catalogue: Catalogue) -> None:
    await search_after_each_write(catalogue, 200)


@pytest.mark.prove
async def test_a_search_misses_no_write_of_two_thousand(catalogue: Catalogue) -> None:
    """Ten thousand take ten minutes, and found nothing else."""
    await search_after_each_write(catalogue, 2_000)
