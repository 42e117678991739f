"""The batch: each operation by itself, in order where order matters, and each mistake its own item's."""

from functools import reduce
from typing import Any
from uuid import UUID

import httpx
import pytest

from command_api.domain.product import evolve
from command_api.executing.ports import StoreUnavailable
from shared.contract.consistency_token import decode_token
from shared.contract.events import Money, Variant
from tests.in_memory_event_store import InMemoryEventStore
from tests.unit.command_http.write_client import (
    JSON,
    NDJSON,
    PRICE,
    create,
    ndjson,
    problem_of,
    product,
    variant,
)

Client = httpx.AsyncClient
CHEAP = {"amount": "1.00", "currency": "USD"}


async def _batch(client: Client, *operations: Any, **headers: str) -> list[dict[str, Any]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await client.post("/v1/products:batch", json=list(operations), headers=named)
    assert answer.status_code == 207, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert decode_token(answer.headers["consistency-token"])
    results: list[dict[str, Any]] = answer.json()["results"]
    assert [result["index"] for result in results] == list(range(len(operations)))
    for result in results:
        assert ("problem" in result) == (result["status"] >= 400)
        if "problem" in result:
            assert result["problem"]["status"] == result["status"]
            assert result["problem"]["request_id"] == answer.headers["x-request-id"]
            assert result["problem"]["trace_id"]
        else:
            assert result["id"]
            assert result["version"] >= 1
    return results


def _statuses(results: list[dict[str, Any]]) -> list[int]:
    return [result["status"] for result in results]


def _id(path: str) -> str:
    return path.rsplit("/", 1)[1]


async def test_each_operation_does_what_its_endpoint_does(client: Client) -> None:
    one = _id(await create(client, "A"))
    results = await _batch(
        client,
        {"op": "create", "product": product("B")},
        {"op": "upsert", "product": product("C", slug="upserted")},
        {"op": "update", "id": one, "patch": {"name": "Sea"}},
        {"op": "price", "id": one, "sku": "A", "price": CHEAP},
        {"op": "publish", "id": one},
        {"op": "archive", "id": one},
        {"op": "restore", "id": one},
        {"op": "delete", "id": one},
    )
    assert _statuses(results) == [201, 201, 200, 200, 200, 200, 200, 204]
    assert [result["version"] for result in results[2:]] == [2, 3, 4, 5, 6, 7]


async def test_an_upsert_replaces_the_product_of_its_slug_and_keeps_its_status(client: Client) -> None:
    path = await create(client, "A", "B", slug="s")
    await client.post(path + "/publish")
    results = await _batch(
        client,
        {"op": "upsert", "product": product("B", "C", slug="s", name="New")},
        {"op": "upsert", "product": product("B", "C", slug="s", name="New")},
    )
    assert _statuses(results) == [200, 200]
    assert results[0]["id"] == results[1]["id"] == _id(path)
    assert [result["changed"] for result in results] == [True, False]
    answer = await client.post(path + "/publish")
    assert answer.json() == {
        "id": _id(path),
        "version": results[0]["version"],
        "status": "active",
        "slug": "s",
    }
    assert _statuses(await _batch(client, {"op": "create", "product": product("A")})) == [201]


async def test_a_result_tells_the_status_that_the_product_has_then(client: Client) -> None:
    one = _id(await create(client, "A", slug="s"))
    results = await _batch(
        client,
        {"op": "create", "product": product("B")},
        {"op": "publish", "id": one},
        {"op": "upsert", "product": {"slug": "s"}},
        {"op": "archive", "id": one},
        {"op": "delete", "id": one},
    )
    told = [result.get("product_status") for result in results]
    assert told == ["draft", "active", "active", "archived", None]


async def test_an_upsert_keeps_what_it_does_not_name_and_clears_what_is_null(
    client: Client, store: InMemoryEventStore
) -> None:
    one = variant("A", barcode="1", weight_grams=5, options={"size": "S"})
    whole = product(slug="s", brand="B", tags=["t"], attributes={"a": 1}, variants=[one])
    assert _statuses(await _batch(client, {"op": "upsert", "product": whole})) == [201]
    price_only = {"slug": "s", "variants": [{"sku": "A", "price": CHEAP}]}
    cleared = {"slug": "s", "brand": None, "variants": [{"sku": "A", "barcode": None}]}
    results = await _batch(
        client,
        {"op": "upsert", "product": {"slug": "s"}},
        {"op": "upsert", "product": price_only},
        {"op": "upsert", "product": price_only},
        {"op": "upsert", "product": cleared},
    )
    assert [(result["changed"], result["version"]) for result in results] == [
        (False, 1), (True, 2), (False, 2), (True, 4),
    ]  # fmt: skip
    stream = await store.load(UUID(results[0]["id"]))
    after = reduce(evolve, stream.events, None)
    assert after is not None
    assert (after.brand, after.tags, after.attributes) == (None, ("t",), {"a": 1})
    assert after.variants["A"] == Variant("A", {"size": "S"}, Money("1.00", "USD"), None, None, 5)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": None}, "/product/name"),
        ({"variants": None}, "/product/variants"),
        ({"variants": []}, "/product/variants"),
        ({"variants": [{"sku": None}]}, "/product/variants/0/sku"),
        ({"variants": [{"sku": ""}]}, "/product/variants/0/sku"),
        ({"variants": [{"sku": "A", "price": None}]}, "/product/variants/0/price"),
        ({"variants": [{"sku": "A"}, {"sku": "A"}]}, "/product/variants"),
        ({"slug": None}, "/product/slug"),
    ],
)
async def test_null_clears_nothing_that_a_product_must_have(
    client: Client, fields: dict[str, Any], pointer: str
) -> None:
    (result,) = await _batch(client, {"op": "upsert", "product": {"slug": "s", **fields}})
    assert result["status"] == 422
    assert result["problem"]["errors"][0]["pointer"] == pointer


async def test_an_upsert_that_cannot_create_says_what_it_lacks(client: Client) -> None:
    await create(client, "A", "B", slug="two")
    results = await _batch(
        client,
        {"op": "upsert", "product": {"slug": "new", "brand": "B"}},
        {"op": "upsert", "product": {"slug": "new", "name": "N", "variants": [{"sku": "S"}]}},
        {"op": "upsert", "product": {"slug": "two", "variants": [{"price": CHEAP}]}},
    )
    told = [(each["problem"]["code"], [e["pointer"] for e in each["problem"]["errors"]]) for each in results]
    assert told == [
        ("product-incomplete", ["/product/name", "/product/variants"]),
        ("variant-needs-price", ["/product/variants/0/price"]),
        ("variant-ambiguous", ["/product/variants/0"]),
    ]


async def test_a_repeated_upsert_is_answered_as_the_first_time_though_its_product_is_gone(
    client: Client,
) -> None:
    path = await create(client, "A", slug="s")
    upsert = {"op": "upsert", "product": {"slug": "s", "brand": "B"}}
    first = await _batch(client, upsert, idempotency_key="k")
    await client.delete(path)
    again = await _batch(client, upsert, idempotency_key="k")
    assert _statuses(first) == _statuses(again) == [200]
    assert first[0]["version"] == again[0]["version"] == 2


async def test_a_refusal_names_every_sku_that_others_hold_and_their_products(client: Client) -> None:
    one, two = _id(await create(client, "A", "B", slug="one")), _id(await create(client, "C", slug="two"))
    wanted = product("X", "A", "B", "C", slug="three")
    (result,) = await _batch(client, {"op": "upsert", "product": wanted})
    assert result["problem"]["code"] == "sku-taken"
    assert result["problem"]["conflicts"] == [
        {"sku": "A", "product_id": one, "slug": "one"},
        {"sku": "B", "product_id": one, "slug": "one"},
        {"sku": "C", "product_id": two, "slug": "two"},
    ]
    answer = await client.post("/v1/products", json=wanted)
    assert problem_of(answer, 409, "sku-taken")["conflicts"] == result["problem"]["conflicts"]


async def test_two_variants_of_one_sku_are_named(client: Client) -> None:
    (result,) = await _batch(client, {"op": "create", "product": product("A", "B", "A")})
    assert result["problem"]["errors"][0]["detail"].endswith("variants 0 and 2 have the same SKU 'A'")


async def test_of_two_creations_with_one_sku_the_first_wins(client: Client) -> None:
    results = await _batch(
        client, *({"op": "create", "product": product("X", name=f"n{n}")} for n in range(4))
    )
    assert _statuses(results) == [201, 409, 409, 409]
    assert results[1]["problem"]["code"] == "sku-taken"


async def test_a_delete_frees_its_sku_for_the_creation_after_it_and_not_for_the_one_before(
    client: Client,
) -> None:
    one, two = _id(await create(client, "X", slug="x")), _id(await create(client, "Y", slug="y"))
    results = await _batch(
        client, {"op": "delete", "id": one}, {"op": "create", "product": product("X", slug="x")}
    )
    assert _statuses(results) == [204, 201]
    results = await _batch(
        client, {"op": "create", "product": product("Y", slug="z")}, {"op": "delete", "id": two}
    )
    assert _statuses(results) == [409, 204]


async def test_an_upsert_sees_what_an_operation_by_id_did_before_it(client: Client) -> None:
    path = await create(client, "A", slug="s")
    results = await _batch(
        client,
        {"op": "price", "id": _id(path), "sku": "A", "price": CHEAP},
        {"op": "upsert", "product": product("A", slug="s")},
        {"op": "price", "id": _id(path), "sku": "A", "price": PRICE},
    )
    assert _statuses(results) == [200, 200, 200]
    assert [result["version"] for result in results] == [2, 3, 3]


async def test_a_new_slug_frees_the_old_one_for_what_comes_after(client: Client) -> None:
    path = await create(client, "A", slug="s")
    results = await _batch(
        client,
        {"op": "update", "id": _id(path), "patch": {"slug": "t"}},
        {"op": "create", "product": product("B", slug="s")},
        {"op": "create", "product": product("C", slug="t")},
    )
    assert _statuses(results) == [200, 201, 409]


async def test_an_upsert_may_take_a_sku_that_an_upsert_before_it_gives_up(client: Client) -> None:
    await create(client, "A", "B", slug="one")
    await create(client, "C", slug="two")
    results = await _batch(
        client,
        {"op": "upsert", "product": product("A", slug="one")},
        {"op": "upsert", "product": product("C", "B", slug="two")},
    )
    assert _statuses(results) == [200, 200]


async def test_two_upserts_of_a_new_slug_make_one_product(client: Client) -> None:
    upserts = [{"op": "upsert", "product": product("A", slug="s", name=f"n{n}")} for n in range(3)]
    results = await _batch(client, *upserts)
    assert _statuses(results) == [201, 200, 200]
    assert len({result["id"] for result in results}) == 1


async def test_if_version_is_the_items_if_match(client: Client) -> None:
    one = _id(await create(client, "A"))
    results = await _batch(
        client,
        {"op": "update", "id": one, "patch": {"name": "a"}, "if_version": 1},
        {"op": "update", "id": one, "patch": {"name": "b"}, "if_version": 1},
        {"op": "delete", "id": one, "if_version": 2},
    )
    assert _statuses(results) == [200, 412, 204]
    assert results[1]["problem"]["current_version"] == 2


async def test_a_bad_line_is_that_items_problem_and_the_others_run(client: Client) -> None:
    lines = [
        ndjson({"op": "create", "product": product("A")}),
        b"{nonsense",
        b"[]",
        b'{"op": "explode"}',
        b'{"product": {}}',
        ndjson({"op": "delete", "id": "socks"}),
        ndjson({"op": "create", "product": product("B", "B")}),
        b'{"op": "create", "product": {"name": NaN}}',
        b"  \t",
        ndjson({"op": "create", "product": product("C")}) + b"\r",
    ]
    answer = await client.post("/v1/products:batch", content=b"\n".join(lines) + b"\n\n", headers=NDJSON)
    assert answer.status_code == 207
    assert _statuses(answer.json()["results"]) == [201, 400, 422, 422, 422, 404, 422, 400, 201]


@pytest.mark.parametrize(
    ("operation", "pointer"),
    [
        ({"op": "create", "product": product(colour=1)}, "/product/colour"),
        (
            {"op": "create", "product": product(variants=[variant("S", price={})])},
            "/product/variants/0/price/amount",
        ),
        ({"op": "upsert", "product": product()}, "/product/slug"),
        ({"op": "update", "id": "x", "patch": {"name": 1}}, "/patch/name"),
        ({"op": "price", "id": "x", "sku": "", "price": PRICE}, "/sku"),
        ({"op": "publish"}, "/id"),
        ({"op": "delete", "id": 3}, "/id"),
        ({"op": "delete", "id": "x", "if_version": 0}, "/if_version"),
        ({"op": "delete", "id": "x", "if_version": True}, "/if_version"),
        ({"op": "delete", "id": "x", "more": 1}, "/more"),
        (
            {"op": "create", "product": product(variants=[variant("S", options={"": "x"})])},
            "/product/variants/0/options/",
        ),
    ],
)
async def test_the_pointer_of_an_item_points_into_the_item(
    client: Client, operation: dict[str, Any], pointer: str
) -> None:
    (result,) = await _batch(client, operation)
    assert result["status"] == 422
    assert result["problem"]["errors"][0]["pointer"] == pointer


async def test_a_repeat_under_a_key_repeats_each_items_answer_and_decides_refusals_again(
    client: Client, store: InMemoryEventStore
) -> None:
    operations = [
        {"op": "create", "product": product("A")},
        {"op": "create", "product": product("A")},
        {"op": "upsert", "product": product("B", slug="b")},
    ]
    first = await _batch(client, *operations, idempotency_key="k")
    written = len(store.appends)
    again = await _batch(client, *operations, idempotency_key="k")
    assert _statuses(first) == _statuses(again) == [201, 409, 201]
    assert [result.get("id") for result in first] == [result.get("id") for result in again]
    assert len(store.appends) == written
    other = await _batch(client, operations[2], operations[1], idempotency_key="k")
    assert _statuses(other) == [422, 409]
    assert other[0]["problem"]["code"] == "idempotency-key-reused"


async def test_an_empty_batch_is_207_with_no_results_in_both_forms(client: Client) -> None:
    for content, headers in ((b"[]", JSON), (b"", NDJSON), (b"\n \n", NDJSON)):
        answer = await client.post("/v1/products:batch", content=content, headers=headers)
        assert (answer.status_code, answer.json()) == (207, {"results": []})
        assert decode_token(answer.headers["consistency-token"]).positions == {}


async def test_a_thousand_operations_run_and_one_more_is_413(client: Client) -> None:
    operations = [{"op": "create", "product": product(f"S-{n}")} for n in range(1001)]
    assert _statuses(await _batch(client, *operations[:1000])) == [201] * 1000
    problem_of(await client.post("/v1/products:batch", json=operations), 413, "batch-too-large")
    answer = await client.post("/v1/products:batch", content=ndjson(*operations), headers=NDJSON)
    problem_of(answer, 413, "batch-too-large")


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b'"x"', b"[1,", b"[}", b"\xff", b"[" * 5000, b"[NaN]"])
async def test_a_json_body_that_is_no_array_is_400(client: Client, body: bytes) -> None:
    answer = await client.post("/v1/products:batch", content=body, headers=JSON)
    if answer.status_code == 207:
        assert body == b"[NaN]"
        assert _statuses(answer.json()["results"]) == [400]
        return
    problem_of(answer, 400, answer.json()["code"])


async def test_a_batch_of_another_media_type_is_415_and_one_over_16_mib_413(client: Client) -> None:
    answer = await client.post("/v1/products:batch", content=b"[]", headers={"content-type": "text/csv"})
    problem_of(answer, 415, "unsupported-media-type")
    answer = await client.post("/v1/products:batch", content=b" " * (16 * 1024 * 1024 + 1), headers=JSON)
    problem_of(answer, 413, "body-too-large")


async def test_a_store_that_is_away_is_each_items_503(client: Client, store: InMemoryEventStore) -> None:
    store.failure = StoreUnavailable("away")
    results = await _batch(
        client, {"op": "create", "product": product("A")}, {"op": "upsert", "product": product(slug="s")}
    )
    assert _statuses(results) == [503, 503]


async def test_the_token_covers_every_write_of_the_batch(client: Client) -> None:
    operations = [{"op": "create", "product": product(f"S-{n}")} for n in range(60)]
    answer = await client.post("/v1/products:batch", json=operations)
    token = decode_token(answer.headers["consistency-token"])
    assert token.product_id is None
    assert max(token.positions.values()) == 60
    assert set(token.positions) <= set(range(12))
    assert len(token.positions) > 1
