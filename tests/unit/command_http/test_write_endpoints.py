"""Each row of the contract's table of writes: statuses, bodies and headers, with and without a key."""

from uuid import UUID

import httpx
import pytest

from command_api.executing.ports import KeyInUse, OutcomeUnknown, StoreOverloaded, StoreUnavailable
from shared.contract import events as e
from shared.contract.addresses import partition_of
from shared.contract.consistency_token import ConsistencyToken, decode_token
from tests.in_memory_event_store import InMemoryEventStore
from tests.unit.command_http.write_client import (
    JSON,
    MERGE_PATCH,
    PRICE,
    READ_URL,
    create,
    problem_of,
    product,
    variant,
)

Client = httpx.AsyncClient


def _token(answer: httpx.Response) -> ConsistencyToken:
    return decode_token(answer.headers["consistency-token"])


async def test_a_creation_answers_201_with_everything_a_client_needs_next(client: Client) -> None:
    answer = await client.post("/v1/products", json=product(), headers={"x-request-id": "mine-1"})
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    product_id = UUID(body["id"])
    assert product_id.version == 7
    assert body == {"id": str(product_id), "version": 1, "status": "draft", "slug": "ocean-shirt"}
    assert answer.headers["location"] == f"{READ_URL}/v1/products/{product_id}"
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["x-request-id"] == "mine-1"
    assert _token(answer) == ConsistencyToken({partition_of(product_id, 12): 1}, product_id, 1)


async def test_each_write_answers_its_status_the_new_version_and_the_products_state(
    client: Client,
) -> None:
    path = await create(client)
    steps: list[tuple[str, str, object, int, int, str]] = [
        ("PATCH", "", {"name": "Sea Shirt"}, 200, 2, "draft"),
        ("PATCH", "", {"name": "Sea Shirt"}, 200, 2, "draft"),
        ("PUT", "/variants/S-2", variant(), 201, 3, "draft"),
        ("PUT", "/variants/S-2", variant(barcode="1"), 200, 4, "draft"),
        ("PUT", "/variants/S-2", variant(barcode="1"), 200, 4, "draft"),
        ("PUT", "/variants/S-2/price", {"amount": "1", "currency": "JPY"}, 200, 5, "draft"),
        ("PUT", "/variants/S-2/price", {"amount": "1", "currency": "JPY"}, 200, 5, "draft"),
        ("POST", "/publish", None, 200, 6, "active"),
        ("POST", "/publish", None, 200, 6, "active"),
        ("POST", "/archive", None, 200, 7, "archived"),
        ("POST", "/restore", None, 200, 8, "active"),
    ]
    for method, rest, body, status, version, state in steps:
        answer = await client.request(method, path + rest, json=body)
        assert answer.status_code == status, answer.text
        assert answer.json() == {
            "id": path.rsplit("/", 1)[1],
            "version": version,
            "status": state,
            "slug": "ocean-shirt",
        }
        assert answer.headers["etag"] == f'"{version}"'
        assert _token(answer).stream_version == version
        assert answer.headers["x-request-id"]
    for rest, version in (("/variants/S-2", 9), ("", 10)):
        answer = await client.delete(path + rest)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["etag"] == f'"{version}"'
        assert max(_token(answer).positions.values()) == version
    problem_of(await client.delete(path), 404, "product-not-found")
    problem_of(await client.post(path + "/publish"), 404, "product-not-found")


async def test_a_price_of_a_million_is_stored_as_its_currency_writes_it(
    client: Client, store: InMemoryEventStore
) -> None:
    path = await create(client)
    await client.put(path + "/variants/S-1/price", json={"amount": "7", "currency": "KWD"})
    (event,) = store.appends[-1].events
    assert event.encoded.data == (
        b'{"sku":"S-1","price":{"amount":"7.000","currency":"KWD"},'
        b'"previous_price":{"amount":"50.00","currency":"USD"}}'
    )


@pytest.mark.parametrize(
    ("method", "rest", "code"),
    [
        ("POST", "/archive", "transition-not-allowed"),
        ("POST", "/restore", "transition-not-allowed"),
        ("DELETE", "/variants/S-1", "last-variant"),
    ],
)
async def test_what_the_state_forbids_is_409(client: Client, method: str, rest: str, code: str) -> None:
    problem_of(await client.request(method, await create(client) + rest), 409, code)


async def test_a_taken_sku_or_slug_is_409_wherever_it_comes(client: Client) -> None:
    await create(client, "T-1", slug="taken")
    path = await create(client, "S-1")
    problem_of(await client.post("/v1/products", json=product("X", slug="taken")), 409, "slug-taken")
    problem_of(await client.post("/v1/products", json=product("T-1")), 409, "sku-taken")
    problem_of(await client.put(path + "/variants/T-1", json=variant()), 409, "sku-taken")
    problem_of(await client.patch(path, json={"slug": "taken"}), 409, "slug-taken")


async def test_a_generated_slug_that_is_taken_gets_a_suffix(client: Client) -> None:
    slugs = [(await client.post("/v1/products", json=product(f"S-{n}"))).json()["slug"] for n in range(3)]
    assert slugs[0] == "ocean-shirt"
    assert len(set(slugs)) == 3
    assert all(slug.startswith("ocean-shirt-") for slug in slugs[1:])


@pytest.mark.parametrize("name", ["!!!", "日本 シャツ", "Ünïcode_X", "x" * 255, "-a--b-"])
async def test_a_slug_made_from_any_name_is_one_that_a_client_may_send(client: Client, name: str) -> None:
    slug = (await client.post("/v1/products", json=product(name=name))).json()["slug"]
    answer = await client.post("/v1/products", json=product("S-2", slug=slug))
    problem_of(answer, 409, "slug-taken")


async def test_an_absent_product_or_variant_is_404(client: Client) -> None:
    path = await create(client)
    for absent in ("/v1/products/00000000-0000-7000-8000-000000000000", "/v1/products/socks"):
        problem_of(await client.patch(absent, json={}), 404, "product-not-found")
        problem_of(await client.delete(absent), 404, "product-not-found")
        problem_of(await client.put(absent + "/variants/S-1", json=variant()), 404, "product-not-found")
    problem_of(await client.delete(path + "/variants/S-9"), 404, "variant-not-found")
    problem_of(await client.put(path + "/variants/S-9/price", json=PRICE), 404, "variant-not-found")


@pytest.mark.parametrize(
    ("segment", "sku"),
    [
        ("A%2FB", "A/B"),
        ("x%2Fprice", "x/price"),
        ("%C3%A4%20%231", "ä #1"),
        ("%2E%2E", ".."),
        ("%25", "%"),
        ("%252F", "%2F"),
        ("a+b", "a+b"),
        ("price", "price"),
        ("%3Fq%3D1", "?q=1"),
        ("%F0%9F%91%95", "👕"),
    ],
)
async def test_an_oddly_spelled_sku_is_one_segment_of_the_path(
    client: Client, store: InMemoryEventStore, segment: str, sku: str
) -> None:
    path = await create(client)
    assert (await client.put(f"{path}/variants/{segment}", json=variant())).status_code == 201
    stream = await store.load(UUID(path.rsplit("/", 1)[1]))
    added = stream.events[-1]
    assert isinstance(added, e.VariantAdded)
    assert added.sku == sku
    price = {"amount": "2.00", "currency": "USD"}
    assert (await client.put(f"{path}/variants/{segment}/price", json=price)).status_code == 200
    assert (await client.delete(f"{path}/variants/{segment}")).status_code == 204


@pytest.mark.parametrize("segment", ["%00", "a%0Ab", "%ED%A0%80", "%FF", "%E2%80%8B", "x" * 256, "%C2%A0"])
async def test_a_sku_in_the_path_that_no_variant_may_have_is_422(client: Client, segment: str) -> None:
    path = await create(client)
    answer = await client.put(f"{path}/variants/{segment}", json=variant())
    problem_of(answer, 422, "validation-failed")
    problem_of(await client.delete(f"{path}/variants/{segment}"), 404, "variant-not-found")


@pytest.mark.parametrize("given", ['"2"', "*", '"1", "2"', '"1","2" , "9"', '"x,y", "2"'])
async def test_if_match_that_names_the_version_lets_the_write_through(client: Client, given: str) -> None:
    path = await create(client)
    await client.patch(path, json={"brand": "Ocean"})
    answer = await client.patch(path, json={"brand": "Sea"}, headers={"if-match": given})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "given", ['"1"', '"3"', '"1","3"', '"abc"', '""', '"02"', '"-2"', '"٢"', '"99999999999"']
)
async def test_if_match_that_names_other_versions_is_412_with_the_present_one(
    client: Client, given: str
) -> None:
    path = await create(client)
    await client.patch(path, json={"brand": "Ocean"})
    answer = await client.patch(path, json={"brand": "Sea"}, headers={b"if-match": given.encode()})
    problem = problem_of(answer, 400 if not given.isascii() else 412, answer.json()["code"])
    if given.isascii():
        assert (problem["code"], problem["current_version"]) == ("version-does-not-match", 2)
        assert answer.headers["etag"] == '"2"'


@pytest.mark.parametrize("given", ["2", 'W/"2"', "", '"2', '"1", 2', '*, "2"', '"1" "2"', '"1",W/"2"'])
async def test_if_match_that_is_no_list_of_strong_tags_is_400(client: Client, given: str) -> None:
    path = await create(client)
    for method, rest in (("PATCH", ""), ("DELETE", ""), ("POST", "/publish")):
        body: dict[str, str] | None = {} if method == "PATCH" else None
        answer = await client.request(method, path + rest, json=body, headers={"if-match": given})
        problem_of(answer, 400, "malformed-if-match")


async def test_if_match_holds_for_what_would_change_nothing_and_for_delete(client: Client) -> None:
    path = await create(client)
    problem_of(await client.patch(path, json={}, headers={"if-match": '"7"'}), 412, "version-does-not-match")
    problem_of(await client.delete(path, headers={"if-match": '"7"'}), 412, "version-does-not-match")
    assert (await client.delete(path, headers={"if-match": '"1"'})).status_code == 204


async def test_a_repeat_under_a_key_answers_the_very_same_and_writes_nothing(
    client: Client, store: InMemoryEventStore
) -> None:
    seen = ("etag", "consistency-token", "location", "content-type")
    path = await create(client)
    requests: list[tuple[str, str, object]] = [
        ("POST", "/v1/products", product("K-1")),
        ("PATCH", path, {"name": "Sea"}),
        ("PATCH", path, {"name": "Sea"}),
        ("PUT", path + "/variants/S-2", variant()),
        ("PUT", path + "/variants/S-2/price", {"amount": "1", "currency": "EUR"}),
        ("POST", path + "/publish", None),
        ("POST", path + "/publish", None),
        ("POST", path + "/archive", None),
        ("POST", path + "/restore", None),
        ("DELETE", path + "/variants/S-2", None),
        ("DELETE", path, None),
    ]
    firsts = []
    for number, (method, url, body) in enumerate(requests):
        key = {"idempotency-key": f"key-{number}"}
        firsts.append(await client.request(method, url, json=body, headers=key))
        assert firsts[-1].is_success
    written = len(store.appends)
    for number, (method, url, body) in enumerate(requests):
        key = {"idempotency-key": f"key-{number}"}
        again = await client.request(method, url, json=body, headers=key)
        first = firsts[number]
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert [again.headers.get(name) for name in seen] == [first.headers.get(name) for name in seen]
    assert len(store.appends) == written


async def test_a_key_with_another_payload_path_method_or_if_match_is_422(client: Client) -> None:
    path = await create(client)
    other = await create(client, "S-9")
    key = {"idempotency-key": "k"}
    assert (await client.patch(path, json={"name": "a"}, headers=key)).status_code == 200
    for answer in (
        await client.patch(path, json={"name": "b"}, headers=key),
        await client.patch(other, json={"name": "a"}, headers=key),
        await client.patch(path, json={"name": "a"}, headers={**key, "if-match": "*"}),
        await client.delete(path, headers=key),
    ):
        problem_of(answer, 422, "idempotency-key-reused")
    assert (
        await client.patch(path, json={"name": "a"}, headers={"idempotency-key": '"k"'})
    ).status_code == 200


async def test_a_refusal_under_a_key_is_decided_again(client: Client) -> None:
    path = await create(client)
    key = {"idempotency-key": "k"}
    problem_of(await client.post(path + "/archive", headers=key), 409, "transition-not-allowed")
    await client.post(path + "/publish")
    assert (await client.post(path + "/archive", headers=key)).status_code == 200


@pytest.mark.parametrize("key", ["", '""', "x" * 256])
async def test_an_empty_or_huge_key_is_400(client: Client, key: str) -> None:
    answer = await client.post("/v1/products", json=product(), headers={"idempotency-key": key})
    problem_of(answer, 400, "malformed-idempotency-key")


async def test_a_store_that_fails_is_503_with_retry_after(client: Client, store: InMemoryEventStore) -> None:
    path = await create(client)
    for failure, code in (
        (StoreUnavailable("away"), "store-unavailable"),
        (StoreOverloaded("append-queue", "full"), "overloaded"),
        (KeyInUse("key-queue", "busy"), "request-in-progress"),
        (OutcomeUnknown("?"), "outcome-unknown"),
    ):
        store.failure = failure
        problem_of(await client.patch(path, json={"name": "x"}), 503, code)


async def test_a_bug_is_a_problem_too(client: Client, store: InMemoryEventStore) -> None:
    async def broken(_: object) -> None:
        raise ZeroDivisionError("secret")

    store.before_append = broken
    answer = await client.post("/v1/products", json=product())
    problem_of(answer, 500, "internal-error")
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/products", "POST"),
        ("/v1/products:batch", "POST"),
        ("/v1/products/x", "DELETE, PATCH"),
        ("/v1/products/x/variants/y", "DELETE, PUT"),
        ("/v1/products/x/variants/y/price", "PUT"),
        ("/v1/products/x/publish", "POST"),
    ],
)
async def test_another_method_is_405_with_every_method_that_the_path_takes(
    client: Client, path: str, allowed: str
) -> None:
    for method in ("GET", "OPTIONS", "TRACE"):
        answer = await client.request(method, path)
        assert answer.headers["allow"] == allowed
        problem_of(answer, 405, "method-not-allowed")
    assert (await client.head(path)).headers["allow"] == allowed


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/products/", "/v1/products/x/", "/v2/products", "//v1/products"]
)
async def test_another_path_is_404(client: Client, path: str) -> None:
    problem_of(await client.get(path), 404, "not-found")


@pytest.mark.parametrize(
    "media_type", [None, "text/plain", "application/jsonx", "application/x-ndjson", "*/*"]
)
async def test_another_media_type_is_415(client: Client, media_type: str | None) -> None:
    path = await create(client)
    headers = {} if media_type is None else {"content-type": media_type}
    for method, url in (
        ("POST", "/v1/products"),
        ("PATCH", path),
        ("PUT", path + "/variants/S-1"),
        ("PUT", path + "/variants/S-1/price"),
    ):
        answer = await client.request(method, url, content=b"{}", headers=headers)
        problem_of(answer, 415, "unsupported-media-type")
    answer = await client.post("/v1/products", content=b"{}", headers=MERGE_PATCH)
    problem_of(answer, 415, "unsupported-media-type")


async def test_a_patch_comes_as_merge_patch_or_as_json_with_any_parameters(client: Client) -> None:
    path = await create(client)
    for number, headers in enumerate(
        (MERGE_PATCH, JSON, {"content-type": "Application/JSON; charset=utf-8"})
    ):
        answer = await client.patch(path, content=b'{"name": "n%d"}' % number, headers=headers)
        assert answer.status_code == 200
        assert answer.json()["version"] == number + 2


@pytest.mark.parametrize("request_id", ["has space", "x" * 129, "", "ü"])
async def test_a_request_id_that_cannot_be_logged_is_replaced(client: Client, request_id: str) -> None:
    answer = await client.post("/v1/products", json=product(), headers={b"x-request-id": request_id.encode()})
    assert answer.status_code == 201
    assert UUID(answer.headers["x-request-id"])


async def test_if_none_match_star_adds_a_variant_and_never_overwrites_one(client: Client) -> None:
    path = await create(client, "A")
    new = {"if-none-match": "*"}
    answer = await client.put(f"{path}/variants/B", json=variant(), headers=new)
    assert (answer.status_code, answer.headers["etag"]) == (201, '"2"')
    again = await client.put(f"{path}/variants/B", json=variant(barcode="1"), headers=new)
    problem_of(again, 412, "variant-exists")
    both = await client.put(f"{path}/variants/C", json=variant(), headers={**new, "if-match": '"1"'})
    problem_of(both, 412, "version-does-not-match")
    keyed = {**new, "idempotency-key": "k"}
    first = await client.put(f"{path}/variants/C", json=variant(), headers=keyed)
    repeated = await client.put(f"{path}/variants/C", json=variant(), headers=keyed)
    assert first.status_code == repeated.status_code == 201
    tags = await client.put(f"{path}/variants/D", json=variant(), headers={"if-none-match": '"1"'})
    problem_of(tags, 400, "malformed-if-none-match")


@pytest.mark.parametrize(
    ("method", "suffix", "unsupported"),
    [
        ("POST", "", ("If-Match", "If-None-Match", "If-Unmodified-Since")),
        ("POST", ":batch", ("If-Match", "If-None-Match", "If-Unmodified-Since")),
        ("PATCH", "/ID", ("If-None-Match", "If-Unmodified-Since")),
        ("DELETE", "/ID", ("If-None-Match", "If-Unmodified-Since")),
        ("PUT", "/ID/variants/A", ("If-Unmodified-Since",)),
        ("DELETE", "/ID/variants/A", ("If-None-Match", "If-Unmodified-Since")),
        ("PUT", "/ID/variants/A/price", ("If-None-Match", "If-Unmodified-Since")),
        ("POST", "/ID/publish", ("If-None-Match", "If-Unmodified-Since")),
        ("POST", "/ID/archive", ("If-None-Match", "If-Unmodified-Since")),
        ("POST", "/ID/restore", ("If-None-Match", "If-Unmodified-Since")),
    ],
)
async def test_a_precondition_that_is_not_supported_is_refused_by_name_and_nothing_is_written(
    client: Client, store: InMemoryEventStore, method: str, suffix: str, unsupported: tuple[str, ...]
) -> None:
    path = await create(client, "A")
    url = "/v1/products" + suffix.replace("/ID", path.removeprefix("/v1/products"))
    for name in unsupported:
        answer = await client.request(method, url, json={}, headers={name: "*"})
        assert name in problem_of(answer, 400, "precondition-not-supported")["detail"]
    assert len(store.appends) == 1
