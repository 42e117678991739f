"""One product over HTTP: the hot read and the framework's route must be one and the same to a client."""

from urllib.parse import quote
from uuid import uuid4

import pytest

from shared.contract.addresses import product_key
from shared.contract.cached_document import unpack
from shared.contract.views import encode_document
from tests.integration.query_world import (
    PREFIX,
    World,
    product,
    shared_installation,
    token_for,
    variant,
    world,
)

__all__ = ["shared_installation", "world"]

both_ways = pytest.mark.parametrize("way", ["served", "framework"])
VARYING = {"x-request-id", "date"}
# The listening port adds these to every answer, whoever gives it.
VARYING |= {"content-security-policy", "referrer-policy", "x-content-type-options"}


async def test_what_the_projector_wrote_is_what_a_reader_gets(world: World) -> None:
    document = product(name="Ocean Blue Shirt")
    await world.store(document)
    answer = await world.served.get(f"/v1/products/{document.id}")
    assert answer.content == encode_document(document)


@both_ways
async def test_a_cached_product_is_answered_with_its_stored_bytes(world: World, way: str) -> None:
    document = product(version=3)
    await world.cache(document)
    answer = await world.client(way).get(f"/v1/products/{document.id}")
    assert answer.status_code == 200
    assert answer.content == encode_document(document)
    assert answer.headers["etag"] == '"3"'
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["cache-status"] == "catalogue; hit"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("tags", [None, '"3"', 'W/"3"', '"2"', '"2", "3"', "*", "3", '"33"', ""])
async def test_both_ways_give_the_same_answer(world: World, method: str, tags: str | None) -> None:
    document = product(version=3)
    await world.cache(document)
    headers = {} if tags is None else {"if-none-match": tags}
    answers = [
        await world.client(way).request(method, f"/v1/products/{document.id}", headers=headers)
        for way in ("served", "framework")
    ]
    statuses, bodies = {answer.status_code for answer in answers}, {answer.content for answer in answers}
    kept = [sorted(pair for pair in answer.headers.items() if pair[0] not in VARYING) for answer in answers]
    assert len(statuses) == len(bodies) == 1
    assert kept[0] == kept[1]
    assert statuses == ({304} if tags in ('"3"', 'W/"3"', '"2", "3"', "*") else {200})
    assert bodies == ({encode_document(document)} if method == "GET" and statuses == {200} else {b""})


@both_ways
async def test_if_none_match_over_several_header_lines_is_one_list(world: World, way: str) -> None:
    document = product(version=3)
    await world.cache(document)
    lines = [("if-none-match", '"1"'), ("if-none-match", '"3"')]
    assert (await world.client(way).get(f"/v1/products/{document.id}", headers=lines)).status_code == 304


@both_ways
async def test_a_request_id_comes_back_and_an_unusable_one_is_replaced(world: World, way: str) -> None:
    document = product()
    await world.cache(document)
    for given, comes_back in (("my-id", True), ("x" * 129, False), ("", False)):
        answer = await world.client(way).get(f"/v1/products/{document.id}", headers={"x-request-id": given})
        assert (answer.headers["x-request-id"] == given) is comes_back
        assert answer.headers["x-request-id"]


@both_ways
async def test_a_product_that_is_not_cached_is_read_from_the_table_and_cached(world: World, way: str) -> None:
    document = product(version=7)
    await world.store(document)
    first = await world.client(way).get(f"/v1/products/{document.id}")
    second = await world.client(way).get(f"/v1/products/{document.id}")
    assert (first.headers["cache-status"], second.headers["cache-status"]) == (
        "catalogue; fwd=miss",
        "catalogue; hit",
    )
    assert first.content == second.content == encode_document(document)


@both_ways
@pytest.mark.parametrize("status", ["draft", "archived"])
async def test_by_id_any_status_but_deleted_is_served(world: World, way: str, status: str) -> None:
    document = product(status=status)
    await world.store(document)
    assert (await world.client(way).get(f"/v1/products/{document.id}")).json()["status"] == status


@both_ways
@pytest.mark.parametrize("where", ["the table", "the cache", "nowhere"])
async def test_what_is_not_there_is_a_404_problem(world: World, way: str, where: str) -> None:
    document = product(version=3)
    if where == "the table":
        await world.store(document)
        await world.delete(document)
    if where == "the cache":
        await world.cache_tombstone(document.id, 4)
    for _ in range(2):
        answer = await world.client(way).get(f"/v1/products/{document.id}", headers={"x-request-id": "r1"})
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["code"] == "product-not-found"
        assert problem["request_id"] == answer.headers["x-request-id"] == "r1"
        assert problem["instance"] == f"/v1/products/{document.id}"
        assert len(problem["trace_id"]) == 32


async def test_a_deleted_row_fills_the_cache_as_a_tombstone_of_its_version(world: World) -> None:
    document = product(version=3)
    await world.store(document)
    await world.delete(document)
    await world.served.get(f"/v1/products/{document.id}")
    packed = await world.cached(document.id)
    assert packed is not None
    assert unpack(packed) == (4, True, b"")


async def test_an_absent_id_is_remembered_for_seconds_and_the_first_version_replaces_it(world: World) -> None:
    document = product(version=1)
    await world.served.get(f"/v1/products/{document.id}")
    assert 0 < await world.redis.pttl(product_key(PREFIX, document.id)) <= 6_000
    await world.cache(document)
    assert (await world.served.get(f"/v1/products/{document.id}")).status_code == 200


@both_ways
@pytest.mark.parametrize(
    "path",
    ["/v1/products/no-uuid", f"/v1/products/{'x' * 36}", "/v1/products/%FF", f"/v1/products/{'%41' * 12}"],
)
async def test_an_address_that_is_no_id_is_not_found(world: World, way: str, path: str) -> None:
    answer = await world.client(way).get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "product-not-found")


@both_ways
async def test_an_id_in_capitals_is_the_same_id(world: World, way: str) -> None:
    document = product()
    await world.store(document)
    assert (await world.client(way).get(f"/v1/products/{str(document.id).upper()}")).status_code == 200


@both_ways
@pytest.mark.parametrize("parameter", ["fields", "as_of", "surprise"])
async def test_a_parameter_that_would_do_nothing_is_refused_by_name(
    world: World, way: str, parameter: str
) -> None:
    document = product()
    await world.cache(document)
    answer = await world.client(way).get(f"/v1/products/{document.id}?{parameter}=1")
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{parameter}"]


async def test_a_method_that_http_does_not_know_is_refused_as_malformed(world: World) -> None:
    answer = await world.served.request("WHATEVER", "/v1/products")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request")


@both_ways
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
async def test_another_method_is_405_with_all_methods_of_the_path(
    world: World, way: str, method: str
) -> None:
    for path in (f"/v1/products/{uuid4()}", "/v1/products/by-sku/a", "/v1/products", "/v1/status"):
        answer = await world.client(way).request(method, path)
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD"
        assert answer.json()["code"] == "method-not-allowed"


ODD = [
    "A/B",
    "x/price",
    "ä #1",
    "a b",
    "50%",
    "%2F",
    "a+b",
    "?q=1",
    "..",
    ".",
    "//",
    "汉字",
    "a;b=c",
    "'\"\\",
]


@pytest.mark.parametrize("name", ODD)
async def test_a_sku_however_spelt_is_found(world: World, name: str) -> None:
    document = product(variants=(variant("first"), variant(name)))
    await world.store(document)
    path = f"/v1/products/by-sku/{''.join(f'%{byte:02X}' for byte in name.encode())}"
    for _ in range(2):
        answer = await world.served.get(path)
        assert answer.status_code == 200, answer.text
        assert answer.content == encode_document(document)


@pytest.mark.parametrize("path", ["by-sku/%00", "by-sku/%FF%FE", f"by-sku/{'x' * 256}", "by-slug/a%00b"])
async def test_a_name_that_no_product_can_have_is_not_found(world: World, path: str) -> None:
    assert (await world.served.get(f"/v1/products/{path}")).status_code == 404


@pytest.mark.parametrize("kind", ["sku", "slug"])
async def test_both_spellings_of_a_name_find_one_product_through_one_entry_of_the_cache(
    world: World, kind: str
) -> None:
    composed = "caf\u00e9-ক\u09bc"
    document = product(**{kind: composed})
    await world.store(document)
    spellings = [composed, "cafe\u0301-ক\u09bc", *(["caf\u00e9\u200b-ক\u09bc"] if kind == "slug" else [])]
    results = []
    for name in spellings:
        answer = await world.served.get(f"/v1/products/by-{kind}/{quote(name)}")
        assert (answer.status_code, answer.content) == (200, encode_document(document))
        results.append(answer.headers["cache-status"])
    assert results == ["catalogue; fwd=miss", *["catalogue; hit"] * (len(spellings) - 1)]
    assert len(await world.redis.keys(f"*:{kind}:*")) == 1
    token = token_for(document.id, 1, 1)
    await world.pass_checkpoint(document.id, 1)
    answer = await world.served.get(
        f"/v1/products/by-{kind}/{quote(spellings[1])}", headers={"consistency-token": token}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("kind", ["sku", "slug"])
async def test_a_name_that_has_moved_is_found_where_it_is_now(world: World, kind: str) -> None:
    first, second = product(sku="S", slug="s"), product(sku="other", slug="other")
    await world.store(first, log_position=1)
    assert (
        await world.served.get(f"/v1/products/by-{kind}/{kind[0].upper() if kind == 'sku' else 's'}")
    ).json()["id"] == str(first.id)
    moved_from = product(id=first.id, version=2, sku="renamed", slug="renamed")
    moved_to = product(id=second.id, version=2, sku="S", slug="s")
    await world.store(moved_from, log_position=2)
    await world.store(moved_to, log_position=3)
    await world.cache(moved_from)
    answer = await world.served.get(f"/v1/products/by-{kind}/{'S' if kind == 'sku' else 's'}")
    assert answer.json()["id"] == str(second.id)


async def test_while_two_rows_have_a_sku_the_later_event_is_right(world: World) -> None:
    old, new = product(sku="S"), product(sku="S")
    await world.store(new, log_position=9)
    await world.store(old, log_position=5)
    assert (await world.served.get("/v1/products/by-sku/S")).json()["id"] == str(new.id)


async def test_a_deleted_product_is_not_found_by_its_names(world: World) -> None:
    document = product(sku="S", slug="s")
    await world.store(document)
    for path in ("by-sku/S", "by-slug/s"):
        assert (await world.served.get(f"/v1/products/{path}")).status_code == 200
    await world.delete(document)
    await world.cache_tombstone(document.id, 2)
    for path in ("by-sku/S", "by-slug/s"):
        assert (await world.served.get(f"/v1/products/{path}")).status_code == 404


async def test_a_name_is_hit_from_the_cache_the_second_time(world: World) -> None:
    await world.store(product(sku="S"))
    answers = [await world.served.get("/v1/products/by-sku/S") for _ in range(2)]
    assert [answer.headers["cache-status"] for answer in answers] == [
        "catalogue; fwd=miss",
        "catalogue; hit",
    ]
