"""Searches with the token of a write, by many writers at the same time."""

import asyncio

import httpx

from tests.end_to_end.catalogue import Catalogue, unique, variant
from tests.eventually import eventually

WRITERS = 8
_SECONDS_MAX = 90.0


async def search_after_each_write(catalogue: Catalogue, writes: int, *, is_refused: bool = False) -> None:
    """Each looks for its own product after each of its writes. `is_refused`: a search may get 503."""

    async def writer(number: int) -> None:
        sku = unique(f"sku{number}")
        created = await catalogue.create(name="Any", variants=[variant(sku)])
        path = f"/v1/products/{created['id']}"
        await catalogue.write("POST", f"{path}/publish")
        for turn in range(writes // WRITERS):
            word = f"w{number}x{turn}"
            answer = await catalogue.write("PATCH", path, {"name": f"Name {word}"})
            assert answer.status_code == 200
            token = {"consistency-token": answer.headers["consistency-token"], "prefer": "wait=10"}

            async def search(word: str = word, token: dict[str, str] = token) -> httpx.Response:
                found = await catalogue.read_as_it_is(f"/v1/products?q=%22{word}%22&sku={sku}", **token)
                assert found.status_code == 200, found.text
                return found

            found = await (eventually(search, _SECONDS_MAX) if is_refused else search())
            names = [(item["name"], item["version"]) for item in found.json()["items"]]
            assert names == [(f"Name {word}", turn + 3)]

    await asyncio.gather(*map(writer, range(WRITERS)))
