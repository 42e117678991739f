"""The past of a product through the whole system: each write is in it at once, and what was read stays."""

import jsonpatch
import pytest

from tests.end_to_end.catalogue import Catalogue, segment, unique, variant

pytestmark = pytest.mark.servers


async def test_each_write_is_in_the_past_at_once_and_stays_after_the_deletion(catalogue: Catalogue) -> None:
    sku = unique("A/B ä")
    created = await catalogue.create(name="A name", variants=[variant(sku)])
    address = f"/v1/products/{created['id']}"
    documents = [(await catalogue.read(address)).json()]
    for method, path, body in (
        ("POST", "/publish", None),
        ("PUT", f"/variants/{segment(sku)}/price", {"amount": "40.00", "currency": "USD"}),
        ("PATCH", "", {"name": "Another name", "tags": ["new"]}),
    ):
        answer = await catalogue.write(method, f"{address}{path}", body)
        assert answer.status_code == 200
        # The catalogue sends the token of the last write with each read.
        documents.append((await catalogue.read(address)).json())
    assert (await catalogue.write("DELETE", address)).status_code == 204
    assert (await catalogue.read(address)).status_code == 404
    for document in documents:
        asked = (f"version={document['version']}", f"as_of={document['updated_at']}")
        for parameters in asked:
            answer = await catalogue.read(f"{address}?{parameters}")
            assert (answer.status_code, answer.json()) == (200, document)
    history = (await catalogue.read(f"{address}/history")).json()
    assert [item["version"] for item in history["items"]] == [5, 4, 3, 2, 1]
    difference = (await catalogue.read(f"{address}/diff?from=1&to=4")).json()
    assert jsonpatch.apply_patch(documents[0], difference["patch"]) == documents[3]
    lowest = await catalogue.read(f"{address}/lowest-price?sku={segment(sku)}")
    assert lowest.json()["price"] == {"amount": "40.00", "currency": "USD"}
