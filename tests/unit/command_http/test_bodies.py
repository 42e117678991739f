"""What a body may hold: malformed is 400, not valid is 422 with a pointer, too large is 413."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

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
BODY_BYTES_MAX = 1024 * 1024


async def _post(client: Client, body: bytes | str) -> httpx.Response:
    return await client.post("/v1/products", content=body, headers=JSON)


async def _refused(client: Client, *pointers: str, **fields: Any) -> dict[str, Any]:
    problem = problem_of(await client.post("/v1/products", json=product(**fields)), 422, "validation-failed")
    assert [error["pointer"] for error in problem["errors"]] == list(pointers)
    assert all(error["code"] and error["detail"] for error in problem["errors"])
    return problem


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"{'a': 1}",
        b'{"name": "a",}',
        b'{"name": "\x00"}',
        b'{"name": NaN}',
        b"\xff\xfe",
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": "a"} x',
        '{"name": "a"}'.encode("utf-16"),
        b'{"name": "\\ud8"}',
    ],
)
async def test_what_is_not_json_is_400(client: Client, body: bytes) -> None:
    problem_of(await _post(client, body), 400, "malformed-json")


@pytest.mark.parametrize("body", ["[]", "null", "3", '"x"', "{}", "[[[]]]"])
async def test_json_of_another_shape_is_422(client: Client, body: str) -> None:
    problem_of(await _post(client, body), 422, "validation-failed")


@pytest.mark.parametrize(
    "text", ["\\u0000", "\\ud800", "\\udfff", "\\ud83d", "\\uD800\\u0041", "\\udc00\\ud800"]
)
async def test_nul_and_half_surrogates_are_422_wherever_they_stand(client: Client, text: str) -> None:
    variants = json.dumps(product()["variants"])
    for body, pointer in (
        (f'{{"name": "a{text}", "variants": {variants}}}', "/name"),
        (f'{{"name": "a", "variants": {variants}, "tags": ["x", "{text}"]}}', "/tags/1"),
        (f'{{"name": "a", "variants": {variants}, "attributes": {{"a": ["{text}"]}}}}', "/attributes/a/0"),
        (
            f'{{"name": "a", "variants": {variants}, "attributes": {{"k": {{"{text}": 1}}}}}}',
            "/attributes/k/",
        ),
    ):
        problem = problem_of(await _post(client, body), 422, "validation-failed")
        assert problem["errors"][0]["pointer"].startswith(pointer)
        answer = await client.post(
            "/v1/products:batch",
            content=f'{{"op": "create", "product": {body}}}\n'.encode() + ndjson({"op": "delete", "id": "x"}),
            headers=NDJSON,
        )
        assert [result["status"] for result in answer.json()["results"]] == [422, 404]
        answer = await client.post(
            "/v1/products:batch", content=f'[{{"op": "create", "product": {body}}}, {{}}]', headers=JSON
        )
        assert [result["status"] for result in answer.json()["results"]] == [422, 422]


async def test_whole_surrogate_pairs_and_escaped_backslashes_are_text(client: Client) -> None:
    body = '{"name": "\\ud83d\\udc55 \\\\u0000", "variants": ' + json.dumps(product()["variants"]) + "}"
    assert (await _post(client, body)).status_code == 201


@pytest.mark.parametrize("depth", [40, 190, 250, 900, 2000, 100_000])
@pytest.mark.parametrize("text", ["x", "\\u0000"])
async def test_nesting_beyond_any_use_is_refused_and_never_breaks_the_reader(
    client: Client, depth: int, text: str
) -> None:
    nested = '{"a":' * depth + f'"{text}"' + "}" * depth
    body = '{"name": "a", "variants": ' + json.dumps(product()["variants"]) + f', "attributes": {nested}}}'
    answer = await _post(client, body)
    assert answer.status_code in (400, 422), answer.text
    problem_of(answer, answer.status_code, answer.json()["code"])
    for content, headers in (
        (f'[{{"op": "create", "product": {body}}}]', JSON),
        (f'{{"op": "create", "product": {body}}}', NDJSON),
    ):
        batch = await client.post("/v1/products:batch", content=content, headers=headers)
        if batch.status_code == 207:
            assert next(result["status"] for result in batch.json()["results"]) in (400, 422)
        else:
            problem_of(batch, 400, batch.json()["code"])


async def test_attributes_hold_what_every_json_reader_gives_back(client: Client) -> None:
    sound: list[Any] = [2**63 - 1, -(2**63), 1.5, True, None, "ä", [], {}, [[{}]]]
    assert (await client.post("/v1/products", json=product(attributes={"a": sound}))).status_code == 201
    for number in ("1e999", "-1e999", str(2**63), str(10**400), "9" * 5000):
        answer = await _post(client, json.dumps(product("S-2", attributes={"a": 7})).replace("7", number, 1))
        assert answer.status_code in (400, 422), number
    await _refused(client, "/attributes", attributes={"a": 2**63})


async def test_an_unknown_field_is_refused_at_any_depth(client: Client) -> None:
    for fields, pointer in (
        ({"colour": "blue"}, "/colour"),
        ({"id": "x"}, "/id"),
        ({"status": "active"}, "/status"),
        ({"created_at": "2026-01-01T00:00:00Z"}, "/created_at"),
        ({"variants": [variant("S", stock=3)]}, "/variants/0/stock"),
        ({"variants": [variant("S", price={**PRICE, "tax": 1})]}, "/variants/0/price/tax"),
        ({"images": [{"url": "https://e.test/1", "x": 1}]}, "/images/0/x"),
    ):
        await _refused(client, pointer, **fields)
    path = await create(client)
    for field in ("variants", "status", "id", "created_at", "published_at"):
        problem = problem_of(await client.patch(path, json={field: None}), 422, "validation-failed")
        assert problem["errors"][0]["pointer"] == f"/{field}"
    answer = await client.put(path + "/variants/S-1", json=variant("S-1"))
    assert problem_of(answer, 422, "validation-failed")["errors"][0]["pointer"] == "/sku"


async def test_name_and_variants_are_required_and_a_patch_cannot_clear_name_or_slug(client: Client) -> None:
    problem = problem_of(await _post(client, "{}"), 422, "validation-failed")
    assert [error["pointer"] for error in problem["errors"]] == ["/name", "/variants"]
    await _refused(client, "/variants", variants=[])
    path = await create(client)
    for field in ("name", "slug"):
        for value in (None, "", " ", 3):
            problem_of(await client.patch(path, json={field: value}), 422, "validation-failed")


@pytest.mark.parametrize(
    "price",
    [
        {"amount": 50, "currency": "USD"},
        {"amount": 50.0, "currency": "USD"},
        {"amount": "-1.00", "currency": "USD"},
        {"amount": "1.001", "currency": "USD"},
        {"amount": "1.0", "currency": "JPY"},
        {"amount": "1.0001", "currency": "KWD"},
        {"amount": "1000000000000", "currency": "USD"},
        {"amount": "1", "currency": "usd"},
        {"amount": "1", "currency": "ZZZ"},
        {"amount": "1", "currency": "XAU"},
        {"amount": "", "currency": "USD"},
        {"amount": "1\n", "currency": "USD"},
        {"amount": "٣", "currency": "USD"},
        {"amount": "1e2", "currency": "USD"},
        {"amount": "1"},
        {"currency": "USD"},
        {},
        None,
        "1.00",
        1,
        {"amount": None, "currency": "USD"},
        {"amount": "1", "currency": None},
        {"amount": "1", "currency": "USD\n"},
    ],
)
async def test_a_price_that_is_no_amount_of_its_currency_is_422(client: Client, price: Any) -> None:
    path = await create(client)
    for answer in (
        await client.put(path + "/variants/S-1/price", content=json.dumps(price), headers=JSON),
        await client.put(path + "/variants/S-2", json={"price": price}),
        await client.post("/v1/products", json=product(variants=[variant("S-9", price=price)])),
    ):
        assert problem_of(answer, 422, "validation-failed")["errors"]


@pytest.mark.parametrize(
    ("amount", "currency"), [("0", "USD"), ("999999999999.99", "USD"), ("7", "JPY"), ("0.001", "KWD")]
)
async def test_a_price_in_the_precision_of_its_currency_is_taken(
    client: Client, amount: str, currency: str
) -> None:
    path = await create(client)
    answer = await client.put(path + "/variants/S-1/price", json={"amount": amount, "currency": currency})
    assert answer.status_code == 200


def _skus(count: int) -> list[str]:
    return [f"S-{number}" for number in range(count)]


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        (
            {"variants": [variant(sku) for sku in _skus(250)]},
            {"variants": [variant(sku) for sku in _skus(251)]},
        ),
        ({"images": [{"url": "https://e.test/1"}] * 100}, {"images": [{"url": "https://e.test/1"}] * 101}),
        ({"tags": _skus(250)}, {"tags": _skus(251)}),
        ({"description": "ä" * 32_768}, {"description": "ä" * 32_768 + "a"}),
        ({"attributes": {"a": "x" * (32_768 - 8)}}, {"attributes": {"a": "x" * (32_768 - 7)}}),
        ({"variants": [variant("x" * 255)]}, {"variants": [variant("x" * 256)]}),
        ({"name": "x" * 255}, {"name": "x" * 256}),
        ({"slug": "x" * 255}, {"slug": "x" * 256}),
        ({"variants": [variant("S", weight_grams=0)]}, {"variants": [variant("S", weight_grams=-1)]}),
        ({"variants": [variant("a/b ä #1")]}, {"variants": [variant("tab\t")]}),
        ({"variants": [variant("S"), variant("s")]}, {"variants": [variant("S"), variant("S")]}),
        ({"slug": "ünï_code-2"}, {"slug": "with space"}),
        ({"category": "apparel/shirts"}, {"category": "apparel//shirts"}),
        ({"images": [{"url": "https://e.test/ä?x=1"}]}, {"images": [{"url": "javascript:alert(1)"}]}),
    ],
)
async def test_a_limit_holds_exactly(client: Client, within: dict[str, Any], beyond: dict[str, Any]) -> None:
    assert (await client.post("/v1/products", json=product(**within))).status_code == 201
    problem_of(await client.post("/v1/products", json=product(**beyond)), 422, "validation-failed")


async def test_the_251st_variant_is_refused_when_it_comes_alone(client: Client) -> None:
    path = await create(client, *_skus(250))
    problem_of(await client.put(path + "/variants/more", json=variant()), 422, "too-many-variants")


async def test_attributes_cannot_grow_past_their_limit_in_pieces(client: Client) -> None:
    path = await create(client)
    assert (await client.patch(path, json={"attributes": {"a": "x" * 20_000}})).status_code == 200
    answer = await client.patch(path, json={"attributes": {"b": "x" * 20_000}})
    problem_of(answer, 422, "product-too-large")
    # Nor be nested deeper, piece by piece: a patch nests as deep as what it patches.
    assert (await client.patch(path, json={"attributes": {"a": None, "b": "x" * 20_000}})).status_code == 200


async def test_a_product_that_consumers_could_not_take_is_422(client: Client) -> None:
    options = {f"option {number}": "x" * 250 for number in range(10)}
    variants = [variant(f"{sku}-{'y' * 200}", options=options) for sku in _skus(250)]
    answer = await client.post("/v1/products", json=product(variants=variants))
    problem_of(answer, 422, "product-too-large")


async def test_a_body_over_its_limit_is_413_by_its_length_and_by_its_chunks(client: Client) -> None:
    sound = json.dumps(product()).encode()
    padded = sound + b" " * (BODY_BYTES_MAX - len(sound))
    assert (await _post(client, padded)).status_code == 201
    problem_of(await _post(client, padded + b" "), 413, "body-too-large")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * 65_536

    for url, headers in (("/v1/products", JSON), ("/v1/products:batch", JSON)):
        answer = await client.post(url, content=chunks(), headers=headers)
        if url.endswith("batch"):
            problem_of(answer, 400, "malformed-json")
        else:
            problem_of(answer, 413, "body-too-large")


async def test_at_most_a_hundred_errors_are_listed(client: Client) -> None:
    images = [{"url": 1, "alt": 2, "x": 3}] * 100
    answer = await client.post("/v1/products", json=product(images=images))
    assert len(problem_of(answer, 422, "validation-failed")["errors"]) == 100
