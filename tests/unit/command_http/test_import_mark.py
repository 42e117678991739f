"""The header Import-Id: it stands in the metadata of every event of the request, and nowhere else."""

import httpx
import msgspec
import pytest

from shared.contract.recorded_event import EventMetadata
from tests.in_memory_event_store import InMemoryEventStore
from tests.unit.command_http.write_client import create, problem_of, product, variant

Client = httpx.AsyncClient
PRICE = {"amount": "1", "currency": "JPY"}


def _marks(store: InMemoryEventStore) -> list[str | None]:
    """The import id of each event that was appended, in order."""
    metadata = [event.metadata for append in store.appends for event in append.events]
    return [msgspec.json.decode(one, type=EventMetadata).import_id for one in metadata]


async def test_every_event_of_a_marked_request_has_the_mark(
    client: Client, store: InMemoryEventStore
) -> None:
    path = await create(client, "S-1", "S-2")
    marked = {"import-id": "spring-2026"}
    for method, rest, body in (
        ("PATCH", "", {"name": "Sea"}),
        ("PUT", "/variants/S-3", variant()),
        ("PUT", "/variants/S-3/price", PRICE),
        ("DELETE", "/variants/S-3", None),
        ("POST", "/publish", None),
        ("POST", "/archive", None),
        ("POST", "/restore", None),
        ("DELETE", "", None),
    ):
        answer = await client.request(method, path + rest, json=body, headers=marked)
        assert answer.is_success, answer.text
    assert _marks(store) == [None, *["spring-2026"] * 8]


async def test_every_operation_of_a_marked_batch_has_the_mark(
    client: Client, store: InMemoryEventStore
) -> None:
    operations = [{"op": "create", "product": product(f"S-{n}", slug=f"s-{n}")} for n in range(3)]
    answer = await client.post("/v1/products:batch", json=operations, headers={"import-id": "!~" * 32})
    assert [one["status"] for one in answer.json()["results"]] == [201, 201, 201]
    assert _marks(store) == ["!~" * 32] * 3


async def test_without_the_header_the_stored_metadata_does_not_name_an_import(
    client: Client, store: InMemoryEventStore
) -> None:
    await create(client)
    (event,) = store.appends[0].events
    assert b"import" not in event.metadata


@pytest.mark.parametrize("given", [b"", b"two words", b"x" * 65, "\N{POUND SIGN}".encode(), b"tab\there"])
async def test_a_malformed_import_id_is_refused_and_nothing_is_written(
    client: Client, store: InMemoryEventStore, given: bytes
) -> None:
    headers = {b"import-id": given}
    answer = await client.post("/v1/products", json=product(), headers=headers)
    problem_of(answer, 400, "malformed-import-id")
    answer = await client.post("/v1/products:batch", json=[], headers=headers)
    problem_of(answer, 400, "malformed-import-id")
    assert store.appends == []


async def test_two_import_ids_are_refused(client: Client) -> None:
    answer = await client.post(
        "/v1/products", json=product(), headers=[("import-id", "a"), ("import-id", "b")]
    )
    problem_of(answer, 400, "malformed-import-id")


async def test_a_retry_under_another_import_id_gets_the_first_answer(client: Client) -> None:
    first, second = [
        await client.post(
            "/v1/products", json=product(), headers={"idempotency-key": "k", "import-id": import_id}
        )
        for import_id in ("monday", "tuesday")
    ]
    assert (second.status_code, second.content) == (201, first.content)
