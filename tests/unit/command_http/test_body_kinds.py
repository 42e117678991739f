"""Which bodies are read at all, and that nothing in one is silently dropped."""

import gzip
import json
from typing import Any

import httpx
import pytest

from tests.unit.command_http.write_client import (
    JSON,
    MERGE_PATCH,
    NDJSON,
    PRICE,
    create,
    ndjson,
    problem_of,
    product,
    variant,
)

Client = httpx.AsyncClient
CREATE = {"op": "create", "product": product()}
BOM = b"\xef\xbb\xbf"


async def every_body(client: Client, headers: dict[str, str], change: Any) -> list[httpx.Response]:
    """The answers of every address that takes a body, to a sound body that `change` has changed."""
    path = await create(client, "S-9")
    answers = []
    for method, url, body, media_type in (
        ("POST", "/v1/products", product(), JSON),
        ("PATCH", path, {"brand": "b"}, MERGE_PATCH),
        ("PUT", f"{path}/variants/S-8", variant(), JSON),
        ("PUT", f"{path}/variants/S-9/price", PRICE, JSON),
        ("POST", "/v1/products:batch", [CREATE], JSON),
        ("POST", "/v1/products:batch", CREATE, NDJSON),
    ):
        content = change(json.dumps(body).encode())
        answers.append(await client.request(method, url, content=content, headers={**media_type, **headers}))
    return answers


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip", "x-unknown"])
async def test_an_encoded_body_is_415_and_says_what_would_be_read(client: Client, coding: str) -> None:
    for answer in await every_body(client, {"content-encoding": coding}, gzip.compress):
        problem_of(answer, 415, "unsupported-content-encoding")
        assert answer.headers["accept-encoding"] == "identity"


async def test_identity_is_no_encoding(client: Client) -> None:
    answers = await every_body(client, {"content-encoding": "Identity"}, bytes)
    assert all(answer.is_success for answer in answers)


@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "us-ascii", '"utf-16"'])
async def test_a_charset_other_than_utf_8_is_415(client: Client, charset: str) -> None:
    headers = {"content-type": f"application/json; charset={charset}"}
    answer = await client.post("/v1/products", content=json.dumps(product()).encode(), headers=headers)
    problem_of(answer, 415, "unsupported-media-type")


async def test_utf_8_and_other_parameters_are_taken(client: Client) -> None:
    for number, parameters in enumerate(("charset=UTF-8", 'charset="utf-8"', "profile=x", "")):
        headers = {"content-type": f"application/json;{parameters}"}
        body = json.dumps(product(f"S-{number}")).encode()
        assert (await client.post("/v1/products", content=body, headers=headers)).status_code == 201


@pytest.mark.parametrize("media_type", ["multipart/form-data; boundary=x", "text/plain", "", "text/json"])
async def test_another_media_type_is_415(client: Client, media_type: str) -> None:
    answer = await client.post("/v1/products", content=b"{}", headers={"content-type": media_type})
    problem_of(answer, 415, "unsupported-media-type")
    assert answer.headers["accept"] == "application/json"


async def test_a_byte_order_mark_is_ignored_in_every_body(client: Client) -> None:
    answers = await every_body(client, {}, lambda body: BOM + body)
    assert all(answer.is_success for answer in answers)
    assert [each["status"] for each in answers[-1].json()["results"]] == [409]  # a SKU of the first body


async def test_lines_end_with_crlf_or_not_at_all_and_hold_every_character(client: Client) -> None:
    first = json.dumps({"op": "create", "product": product("A", name="a\u2028b\x85c")}, ensure_ascii=False)
    second = json.dumps({"op": "create", "product": product("B")})
    body = f"\r\n{first}\r\n\r\n{second}".encode()
    answer = await client.post("/v1/products:batch", content=body, headers=NDJSON)
    assert [each["status"] for each in answer.json()["results"]] == [201, 201]


PRICE_TEXT = json.dumps(PRICE)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ('{"name": "a", "name": "b", "variants": [V]}', "/name"),
        ('{"name" : "a", "name":"b", "variants": [V]}', "/name"),
        ('{"name": "a", "n\\u0061me": "b", "variants": [V]}', "/name"),
        ('{"name": "a", "variants": [{"sku": "S", "price": P, "price": P}]}', "/variants/0/price"),
        ('{"name": "a", "variants": [V], "attributes": {"x": [{"a/b": 1, "a/b": 1}]}}',
         "/attributes/x/0/a~1b"),
        ('{"name": "\\u0022:", "variants": [V], "attributes": {"a": 1, "a": 2}}', "/attributes/a"),
    ],
)  # fmt: skip
async def test_a_key_that_stands_twice_is_422_and_named(client: Client, body: str, pointer: str) -> None:
    body = body.replace("V", '{"sku": "S", "price": P}').replace("P", PRICE_TEXT)
    problem = problem_of(
        await client.post("/v1/products", content=body, headers=JSON), 422, "validation-failed"
    )
    assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [(pointer, "repeated-key")]
    for content, headers in (
        (f'[{{"op": "create", "product": {body}}}, {{}}]', JSON),
        (f'[{{"op": "create", "product": {body}}}, "\\ud800"]', JSON),
        (f'{{"op": "create", "product": {body}}}\n{{}}', NDJSON),
    ):
        answer = await client.post("/v1/products:batch", content=content, headers=headers)
        result = answer.json()["results"][0]
        assert result["status"] == 422
        assert result["problem"]["errors"][0]["pointer"] == "/product" + pointer


async def test_a_key_that_stands_twice_is_refused_by_patch_variant_and_price(client: Client) -> None:
    path = await create(client, "S-1")
    for method, url, body in (
        ("PATCH", path, '{"brand": "a", "brand": "b"}'),
        ("PUT", f"{path}/variants/S-1", f'{{"price": {PRICE_TEXT}, "price": {PRICE_TEXT}}}'),
        ("PUT", f"{path}/variants/S-1/price", '{"amount": "1", "amount": "2", "currency": "USD"}'),
    ):
        answer = await client.request(method, url, content=body, headers=JSON)
        assert problem_of(answer, 422, "validation-failed")["errors"][0]["code"] == "repeated-key"


async def test_the_same_key_in_two_objects_and_colons_in_texts_are_no_repeat(client: Client) -> None:
    fields = {"description": 'size : M, "a": 1, \\":', "attributes": {"a": {"a": {"a": "x : y"}}, "b": '":'}}
    for number, indent in enumerate((None, 2)):
        body = json.dumps(product(f"S-{number}", f"T-{number}", **fields), indent=indent)
        assert (await client.post("/v1/products", content=body, headers=JSON)).status_code == 201


LEAKS = (
    "sys.",
    "set_int",
    "recursion",
    "codec",
    "Exceeds",
    "Input should",
    "pydantic",
    "Value error",
    "int(",
)


@pytest.mark.parametrize(
    "value",
    ["9" * 4301, "9" * 100_000, "1e400", "NaN", "-Infinity", "1" + "0" * 5000 + ".5", "[" * 200 + "]" * 200,
     "[" * 5000 + "]" * 5000, '"\\ud800"', '"\\ud8"', "tru", "'a'", "\x00", "[1,]", '{"a" 1}', "[]x", '"\n"'],
)  # fmt: skip
@pytest.mark.parametrize("field", ["name", "attributes", "variants"])
async def test_no_error_speaks_of_what_we_are_made_of(client: Client, field: str, value: str) -> None:
    whole = json.dumps(product()).replace("{", f'{{"{field}": {value}, ', 1)
    for answer in (
        await client.post("/v1/products", content=whole, headers=JSON),
        await client.post(
            "/v1/products", content=json.dumps({}).replace("}", f'"{field}": {value}}}'), headers=JSON
        ),
        await client.post("/v1/products:batch", content=f'[{{"op": {value}}}]', headers=JSON),
        await client.post(
            "/v1/products:batch", content=f'{{"op": "create", "product": {whole}}}', headers=NDJSON
        ),
    ):
        assert answer.status_code in (207, 400, 422)
        assert not [leak for leak in LEAKS if leak in answer.text], answer.text


async def test_an_empty_body_and_bytes_that_are_no_utf_8_are_told(client: Client) -> None:
    empty = problem_of(await client.post("/v1/products", headers=JSON), 400, "malformed-json")
    assert empty["detail"] == "it is empty"
    broken = await client.post("/v1/products", content=b'{"name": "\xff"}', headers=JSON)
    assert problem_of(broken, 400, "malformed-json")["detail"] == "it is not UTF-8 from byte 10 on"


@pytest.mark.parametrize("spelling", ["{%s}", "urn:uuid:%s", "(%s"])
async def test_an_id_has_one_spelling_in_any_case(client: Client, spelling: str) -> None:
    product_id = (await create(client)).rsplit("/", 1)[1]
    assert (await client.post(f"/v1/products/{product_id.upper()}/publish")).status_code == 200
    for wrong in (spelling % product_id, product_id.replace("-", "")):
        problem_of(await client.post(f"/v1/products/{wrong}/publish"), 404, "product-not-found")
        answer = await client.post(
            "/v1/products:batch", content=ndjson({"op": "delete", "id": wrong}), headers=NDJSON
        )
        assert answer.json()["results"][0]["status"] == 404
