"""What a token decides about a write beyond its route: actor, keys, imports, and the items of a batch."""

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest_asyncio

from shared.access.scopes import Scope
from shared.contract.recorded_event import EventMetadata
from tests.guards import bearer, guard
from tests.in_memory_event_store import InMemoryEventStore
from tests.unit.command_http.write_client import problem_of, product, write_client

WRITE, PUBLISH, IMPORT = Scope.PRODUCTS_WRITE, Scope.PRODUCTS_PUBLISH, Scope.PRODUCTS_IMPORT


@pytest_asyncio.fixture
async def client(store: InMemoryEventStore, is_light: bool) -> AsyncIterator[httpx.AsyncClient]:
    async with write_client(store, guard(), is_light=is_light) as client:
        yield client


async def _create(client: httpx.AsyncClient, headers: dict[str, str], **fields: object) -> httpx.Response:
    return await client.post("/v1/products", json=product(**fields), headers=headers)


async def test_the_subject_of_the_token_is_the_actor_of_the_events(
    client: httpx.AsyncClient, store: InMemoryEventStore
) -> None:
    answer = await _create(client, bearer(WRITE, sub="Ann Äpfel"))
    assert answer.status_code == 201, answer.text
    (event,) = [event for append in store.appends for event in append.events]
    assert msgspec.json.decode(event.metadata, type=EventMetadata).actor == "Ann Äpfel"


async def test_an_idempotency_key_belongs_to_its_subject(client: httpx.AsyncClient) -> None:
    key = {"idempotency-key": "same"}
    first = await _create(client, {**bearer(WRITE, sub="ann"), **key}, slug="one")
    again = await _create(client, {**bearer(WRITE, IMPORT, sub="ann"), **key}, slug="one")
    other = await _create(client, {**bearer(WRITE, sub="bob"), **key}, slug="one")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    problem_of(other, 409, "sku-taken")


async def test_an_import_needs_its_scope_and_nothing_is_written_without(
    client: httpx.AsyncClient, store: InMemoryEventStore
) -> None:
    marked = {"import-id": "spring"}
    refused = await _create(client, {**bearer(WRITE), **marked})
    assert problem_of(refused, 403, "insufficient-scope")["required_scope"] == "products:import"
    assert 'scope="products:import"' in refused.headers["www-authenticate"]
    assert (await _create(client, {**bearer(WRITE, IMPORT), **marked})).status_code == 201


async def test_a_batch_publishes_only_with_the_scope_and_does_all_else(client: httpx.AsyncClient) -> None:
    made = (await _create(client, bearer(WRITE))).json()["id"]
    gone = (await _create(client, bearer(WRITE), variants=product("S-2")["variants"])).json()["id"]
    operations = [
        {"op": "publish", "id": made},
        {"op": "update", "id": made, "patch": {"name": "Another"}},
        {"op": "archive", "id": made},
        {"op": "restore", "id": made},
        {"op": "delete", "id": gone},
        {"op": "publish", "id": "no-id"},
    ]
    batch = await client.post("/v1/products:batch", json=operations, headers=bearer(WRITE))
    results = batch.json()["results"]
    assert [each["status"] for each in results] == [403, 200, 403, 403, 204, 403]
    assert results[0]["problem"]["code"] == "insufficient-scope"
    assert results[0]["problem"]["required_scope"] == "products:publish"
    allowed = await client.post("/v1/products:batch", json=operations[:1], headers=bearer(WRITE, PUBLISH))
    assert [each["status"] for each in allowed.json()["results"]] == [200]


async def test_a_token_is_checked_before_the_body_is_read(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json"}
    for body in (b"not json", b"x" * 2_000_000):
        problem_of(await client.post("/v1/products", content=body, headers=headers), 401, "token-required")
        refused = await client.post("/v1/products", content=body, headers={**headers, **bearer(PUBLISH)})
        problem_of(refused, 403, "insufficient-scope")
