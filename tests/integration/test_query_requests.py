"""What a reader's request must be: one spelling of numbers and ids, UTF-8, conditions that are evaluated."""

import pytest

from shared.contract.views import ProductDocument
from tests.integration.query_world import World, product, shared_installation, world

__all__ = ["shared_installation", "world"]


@pytest.fixture
async def stored(world: World) -> ProductDocument:
    document = product(version=3)
    await world.store(document)
    return document


@pytest.mark.parametrize("path", ["/v1/products", "/v1/categories", "/v1/brands", "/v1/inventory"])
@pytest.mark.parametrize("limit", ["1_0", "1.0", "%2B5", "%205", "5%20", "%EF%BC%95", "9" * 5000])
async def test_only_plain_digits_are_a_limit(world: World, path: str, limit: str) -> None:
    answer = await world.served.get(f"{path}?limit={limit}")
    assert answer.status_code == 400
    error = answer.json()["errors"][0]
    assert (error["pointer"], error["detail"]) == ("/limit", "must be a whole number in digits")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("brand=%ff", "/brand"),
        ("tag=a&brand=x%C3", "/brand"),
        ("%ff=1", "/\ufffd"),
        ("cursor=%80", "/cursor"),
    ],
)
async def test_a_query_string_is_utf_8(world: World, query: str, pointer: str) -> None:
    answer = await world.served.get(f"/v1/products?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


async def test_an_id_is_found_in_any_case_and_in_one_spelling(world: World, stored: ProductDocument) -> None:
    text = str(stored.id)
    for path in (f"/v1/products/{text.upper()}", f"/v1/products?ids={text.upper()}"):
        assert text in (await world.served.get(path)).text
    for wrong in (f"%7B{text}%7D", f"urn:uuid:{text}", text.replace("-", "")):
        assert (await world.served.get(f"/v1/products/{wrong}")).status_code == 404
        assert (await world.served.get(f"/v1/products?ids={wrong}")).status_code == 400
        assert (await world.served.get(f"/v1/inventory?product_id={wrong}")).status_code == 400


@pytest.mark.parametrize("is_cached", [True, False])
async def test_if_match_on_a_read_is_evaluated(
    world: World, stored: ProductDocument, is_cached: bool
) -> None:
    if is_cached:
        await world.cache(stored)
    path = f"/v1/products/{stored.id}"
    for given, status in (
        ('"3"', 200),
        ("*", 200),
        ('"1", "3"', 200),
        ('"2"', 412),
        ('W/"3"', 400),
        ("3", 400),
    ):
        answer = await world.served.get(path, headers={"if-match": given})
        assert answer.status_code == status, given
        if status == 412:
            assert (answer.headers["etag"], answer.json()["current_version"]) == ('"3"', 3)
    both = {"if-match": '"3"', "if-none-match": '"3"'}
    assert (await world.served.get(path, headers=both)).status_code == 304
    ignored = {"if-unmodified-since": "Sat, 01 Jan 2000 00:00:00 GMT", "range": "bytes=0-1"}
    assert (await world.served.get(path, headers=ignored)).status_code == 200


async def test_a_list_has_no_entity_tag_that_if_match_could_name(world: World) -> None:
    for path in ("/v1/products", "/v1/brands", "/v1/status"):
        assert (await world.served.get(path, headers={"if-match": '"3"'})).status_code == 412
        assert (await world.served.get(path, headers={"if-match": "*"})).status_code == 200
