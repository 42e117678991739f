"""Webhook endpoints over HTTP and real databases: changes, keys, requests, and both APIs' reads."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from shared.ops.secret import Secret
from shared.webhooks.sealed_keys import SealedKeys
from tests.integration.webhook_world import (
    PATH,
    READ_URL,
    URL,
    WebhookWorld,
    command_client,
    command_settings,
    webhook_world,
)
from tests.servers import DatabaseDsns
from tests.unit.command_http.write_client import problem_of

pytestmark = pytest.mark.servers
PATCH = {"content-type": "application/merge-patch+json"}
NOBODY = str(UUID(int=1))


@pytest_asyncio.fixture
async def world(event_store_dsns: DatabaseDsns, read_model_dsns: DatabaseDsns) -> AsyncIterator[WebhookWorld]:
    async with webhook_world(event_store_dsns, read_model_dsns) as made:
        yield made


async def test_an_endpoint_is_registered_and_its_secret_shown_once(world: WebhookWorld) -> None:
    product_id = str(uuid4())
    fields = {"url": URL, "types": ["product-created"], "product_ids": [product_id], "description": "Shop"}
    answer = await world.command.post(PATH, json=fields)
    body = answer.json()
    assert (answer.status_code, answer.headers["etag"], body["version"]) == (201, '"1"', 1)
    assert answer.headers["location"] == f"{READ_URL}{PATH}/{body['id']}"
    assert answer.headers["cache-control"] == "no-store"
    assert {name: body[name] for name in fields} == fields
    assert (body["signature"], body["status"], body["public_key"]) == ("hmac", "enabled", None)
    assert body["secret"].startswith("whsec_")
    document = await world.document(body["id"])
    opened = SealedKeys(Secret("a key for tests")).open(document.keys[0].sealed)
    assert httpx.URL(document.url) == URL
    assert len(opened) == 32
    rows = await world.event_store.fetch("SELECT data::text || document::text FROM catalogue.webhook_events"
        " JOIN catalogue.webhook_endpoints USING (endpoint_id)")  # fmt: skip
    assert body["secret"].removeprefix("whsec_") not in rows[0][0]
    for client in (world.command, world.query):
        read = await client.get(f"{PATH}/{body['id']}")
        assert (read.status_code, read.headers["etag"]) == (200, '"1"')
        assert "secret" not in read.json()
        assert document.keys[0].sealed not in read.text


async def test_the_owner_of_an_ed25519_endpoint_gets_the_public_key_alone(world: WebhookWorld) -> None:
    body = await world.register(signature="ed25519")
    assert "secret" not in body
    assert body["public_key"].startswith("whpk_")
    rotated = await world.command.post(f"{PATH}/{body['id']}:rotate-secret")
    assert "secret" not in rotated.json()
    assert rotated.json()["public_key"] not in (None, body["public_key"])


async def test_a_new_endpoint_starts_at_the_end_of_the_log(world: WebhookWorld) -> None:
    body = await world.register()
    assert (await world.document(body["id"])).starts_after == 0
    read = (await world.query.get(f"{PATH}/{body['id']}")).json()
    assert read["delivery"] == {
        "position": 0,
        "waiting": 0,
        "failing_products": 0,
        "oldest_waiting_seconds": None,
        "last_success_at": None,
        "last_failure_at": None,
    }


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"url": "http://10.0.0.1/"}, "webhook-url-refused"),
        ({"url": "https://169.254.169.254/latest"}, "webhook-url-refused"),
        ({"url": "https://user@example.com/"}, "webhook-url-refused"),
        ({"url": "https://nowhere.invalid/"}, "webhook-url-unknown-host"),
        ({"url": URL, "types": ["product-created", "product-sold"]}, "unknown-event-types"),
        ({"url": URL, "types": []}, "validation-failed"),
        ({"url": URL, "product_ids": ["1"]}, "validation-failed"),
        ({"url": URL, "description": "x" * 501}, "validation-failed"),
        ({"url": URL, "signature": "rsa"}, "validation-failed"),
        ({"url": URL, "status": "paused"}, "validation-failed"),
        ({}, "validation-failed"),
    ],
)
async def test_what_cannot_be_registered(world: WebhookWorld, fields: dict[str, object], code: str) -> None:
    refused = problem_of(await world.command.post(PATH, json=fields), 422, code)
    assert refused["errors"]
    assert await world.event_store.fetchval("SELECT count(*) FROM catalogue.webhook_events") == 0


async def test_an_idempotency_key_is_refused(world: WebhookWorld) -> None:
    answer = await world.command.post(PATH, json={"url": URL}, headers={"idempotency-key": "1"})
    problem_of(answer, 400, "idempotency-key-not-supported")


async def test_a_change_is_one_event_with_what_changed(world: WebhookWorld) -> None:
    endpoint_id = (await world.register(types=["product-created"]))["id"]
    path = f"{PATH}/{endpoint_id}"
    answer = await world.command.patch(path, json={"types": None, "description": "Shop"}, headers=PATCH)
    assert (answer.status_code, answer.headers["etag"], answer.json()["types"]) == (200, '"2"', None)
    assert await world.newest_event(endpoint_id) == (
        "webhook-endpoint-changed",
        {"types": None, "description": "Shop"},
    )
    same = await world.command.patch(path, json={"description": "Shop", "status": "enabled"}, headers=PATCH)
    assert (same.status_code, same.headers["etag"]) == (200, '"2"')
    assert len(await world.events(endpoint_id)) == 2


async def test_an_endpoint_is_paused_and_goes_on(world: WebhookWorld) -> None:
    endpoint_id = (await world.register())["id"]
    path = f"{PATH}/{endpoint_id}"
    for status, event in (("paused", "webhook-endpoint-paused"), ("enabled", "webhook-endpoint-enabled")):
        answer = await world.command.patch(path, json={"status": status})
        assert answer.json()["status"] == status
        assert await world.newest_event(endpoint_id) == (event, {})
        assert (await world.query.get(path)).json()["status"] == status


async def test_to_enable_an_endpoint_that_deliveries_have_disabled_is_an_event(world: WebhookWorld) -> None:
    endpoint_id = (await world.register())["id"]
    await world.sees(endpoint_id, disabled_at=datetime.now(UTC), disabled_reason="gone")
    read = (await world.query.get(f"{PATH}/{endpoint_id}")).json()
    assert (read["status"], read["disabled_reason"]) == ("disabled", "gone")
    answer = await world.command.patch(f"{PATH}/{endpoint_id}", json={"status": "enabled"})
    assert answer.headers["etag"] == '"2"'
    assert await world.newest_event(endpoint_id) == ("webhook-endpoint-enabled", {})
    read = (await world.command.get(f"{PATH}/{endpoint_id}")).json()
    assert (read["status"], read["disabled_reason"]) == ("enabled", None)


async def test_a_deleted_endpoint_is_gone_and_its_keys_with_it(world: WebhookWorld) -> None:
    body = await world.register()
    path = f"{PATH}/{body['id']}"
    assert (await world.command.delete(path)).status_code == 204
    document = await world.document(body["id"])
    assert (document.keys, document.url) == ((), URL)
    assert await world.newest_event(body["id"]) == ("webhook-endpoint-deleted", {})
    for method, at in (
        ("DELETE", path),
        ("GET", path),
        ("POST", f"{path}:test"),
        ("POST", f"{path}:rotate-secret"),
        ("GET", f"{path}/deliveries"),
    ):
        problem_of(await world.command.request(method, at), 404, "webhook-endpoint-not-found")
    problem_of(await world.query.get(path), 404, "webhook-endpoint-not-found")
    assert (await world.query.get(PATH)).json() == {"items": [], "next_cursor": None}


async def test_if_match_guards_every_change(world: WebhookWorld) -> None:
    path = f"{PATH}/{(await world.register())['id']}"
    old, new = {"if-match": '"7"'}, {"if-match": '"1"'}
    for method, at, body in (
        ("PATCH", path, {"description": "x"}),
        ("DELETE", path, None),
        ("POST", f"{path}:rotate-secret", None),
    ):
        refused = await world.command.request(method, at, json=body, headers=old)
        assert problem_of(refused, 412, "version-does-not-match")["current_version"] == 1
    assert (await world.command.patch(path, json={"description": "x"}, headers=new)).status_code == 200
    again = await world.command.patch(path, json={"description": "y"}, headers=new)
    problem_of(again, 412, "version-does-not-match")


async def test_changes_at_the_same_time_all_happen(world: WebhookWorld) -> None:
    endpoint_id = (await world.register())["id"]
    answers = await asyncio.gather(*(world.command.post(f"{PATH}/{endpoint_id}:test") for _ in range(4)))
    assert [each.status_code for each in answers] == [202] * 4
    assert sorted(data["webhook_id"] for _, data in (await world.events(endpoint_id))[1:]) == sorted(
        each.json()["webhook_id"] for each in answers
    )


async def test_a_rotated_key_signs_for_a_while_and_only_two_do(world: WebhookWorld) -> None:
    body = await world.register()
    path = f"{PATH}/{body['id']}"
    first = (await world.document(body["id"])).keys[0].sealed
    rotated = await world.command.post(f"{path}:rotate-secret")
    assert rotated.status_code == 200
    assert rotated.json()["secret"] not in (None, body["secret"])
    keys = (await world.document(body["id"])).keys
    assert [key.sealed == first for key in keys] == [False, True]
    until = datetime.fromisoformat(rotated.json()["old_key_expires_at"])
    assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(hours=24)
    assert (await world.query.get(path)).json()["old_key_expires_at"] == rotated.json()["old_key_expires_at"]
    await world.command.post(f"{path}:rotate-secret", json={"old_key_hours": 168})
    assert [key.sealed for key in (await world.document(body["id"])).keys][1] == keys[0].sealed
    at_once = await world.command.post(f"{path}:rotate-secret", json={"old_key_hours": 0})
    assert at_once.json()["old_key_expires_at"] is None
    assert len((await world.document(body["id"])).keys) == 1
    too_long = await world.command.post(f"{path}:rotate-secret", json={"old_key_hours": 169})
    problem_of(too_long, 422, "validation-failed")


async def test_redeliveries_are_requested(world: WebhookWorld) -> None:
    endpoint_id = (await world.register())["id"]
    path = f"{PATH}/{endpoint_id}"
    delivery_id = await world.queue(endpoint_id, uuid4(), "failed", log_position=42)
    answer = await world.command.post(f"{path}/deliveries/{delivery_id}:redeliver")
    assert answer.status_code == 202, answer.text
    wanted = {"delivery_id": delivery_id, "log_position": 42}
    assert await world.newest_event(endpoint_id) == ("webhook-redelivery-requested", wanted)
    for unknown in (delivery_id + 1, "x", "9" * 30):
        refused = await world.command.post(f"{path}/deliveries/{unknown}:redeliver")
        problem_of(refused, 404, "webhook-delivery-not-found")
    assert (await world.command.post(f"{path}:redeliver", json={"after": 7})).status_code == 202
    assert await world.newest_event(endpoint_id) == ("webhook-redelivery-requested", {"after": 7})
    problem_of(await world.command.post(f"{path}:redeliver", json={"after": -1}), 422, "validation-failed")


async def test_deliveries_are_read_newest_first_by_both_apis(world: WebhookWorld) -> None:
    endpoint_id = (await world.register())["id"]
    await world.sees(endpoint_id, log_position=9)
    product_id = uuid4()
    tried = '[{"at": "2026-01-01T00:00:00Z", "status": null, "milliseconds": 5, "error": "refused"}]'
    failed = await world.queue(endpoint_id, uuid4(), "failed", attempts=tried)
    first = await world.queue(endpoint_id, product_id, "waiting")
    second = await world.queue(endpoint_id, product_id, "waiting")
    test = await world.queue(endpoint_id, UUID(int=0), "delivered", log_position=None)
    due_at = datetime(2026, 1, 2, tzinfo=UTC)
    await world.read_model.execute(
        "INSERT INTO views.webhook_lane VALUES ($1, $2, 3, $3, NULL)", UUID(endpoint_id), product_id, due_at
    )
    path = f"{PATH}/{endpoint_id}/deliveries"
    for client in (world.command, world.query):
        page = (await client.get(path)).json()
        assert [each["id"] for each in page["items"]] == [test, second, first, failed]
        assert [each["next_attempt_at"] for each in page["items"]] == [
            None,
            None,
            "2026-01-02T00:00:00Z",
            None,
        ]
        assert page["items"][0]["product_id"] is None
        assert page["items"][3]["attempts"] == [
            {
                "at": "2026-01-01T00:00:00Z",
                "status": None,
                "milliseconds": 5,
                "response": None,
                "error": "refused",
            }
        ]
        waiting = (await client.get(path, params={"state": "waiting"})).json()
        assert [each["id"] for each in waiting["items"]] == [second, first]
        delivery = (await client.get(f"{PATH}/{endpoint_id}")).json()["delivery"]
        assert (delivery["position"], delivery["waiting"], delivery["failing_products"]) == (9, 2, 1)
        assert delivery["oldest_waiting_seconds"] >= 0


async def test_pages_of_deliveries_go_on_where_the_last_one_ended(world: WebhookWorld) -> None:
    endpoint_id = (await world.register())["id"]
    ids = [await world.queue(endpoint_id, uuid4(), "delivered") for _ in range(5)]
    path, found, cursor = f"{PATH}/{endpoint_id}/deliveries", [], None
    for client in (world.command, world.query, world.command):
        page = await client.get(path, params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        found += [each["id"] for each in page.json()["items"]]
        cursor = page.json()["next_cursor"]
        assert ("link" in page.headers) == (cursor is not None)
    assert (found, cursor) == (ids[::-1], None)
    first = (await world.query.get(path, params={"limit": 2})).json()["next_cursor"]
    other = await world.query.get(path, params={"limit": 2, "state": "failed", "cursor": first})
    assert problem_of(other, 400, "invalid-parameter")["errors"][0]["code"] == "foreign"


async def test_pages_of_endpoints_are_in_the_order_of_registration(world: WebhookWorld) -> None:
    ids = [(await world.register())["id"] for _ in range(3)]
    first = (await world.query.get(PATH, params={"limit": 2})).json()
    rest = (await world.command.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [each["id"] for each in first["items"] + rest["items"]] == ids
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "limit=1&limit=2", "cursor=%21", "cursor=YQ", "color=red"]
)
async def test_a_parameter_that_is_not_acceptable_is_named_by_both_apis(
    world: WebhookWorld, query: str
) -> None:
    for client in (world.command, world.query):
        refused = problem_of(await client.get(f"{PATH}?{query}"), 400, "invalid-parameter")
        assert refused["errors"][0]["pointer"] == f"/{query.partition('=')[0]}"


async def test_an_endpoint_that_is_not_there_is_a_404(world: WebhookWorld) -> None:
    for endpoint_id in (NOBODY, "x", "x:y"):
        problem_of(await world.command.get(f"{PATH}/{endpoint_id}"), 404, "webhook-endpoint-not-found")
        problem_of(await world.query.get(f"{PATH}/{endpoint_id}"), 404, "webhook-endpoint-not-found")


async def test_there_is_a_limit_of_endpoints(
    event_store_dsns: DatabaseDsns, read_model_dsns: DatabaseDsns
) -> None:
    settings = command_settings(event_store_dsns, read_model_dsns.reader, webhook_endpoints_max=1)
    async with command_client(settings) as client:
        first = await client.post(PATH, json={"url": URL})
        problem_of(await client.post(PATH, json={"url": URL}), 409, "too-many-webhook-endpoints")
        await client.delete(f"{PATH}/{first.json()['id']}")
        assert (await client.post(PATH, json={"url": URL})).status_code == 201


async def test_without_a_key_every_route_says_that_webhooks_are_off(
    event_store_dsns: DatabaseDsns, read_model_dsns: DatabaseDsns
) -> None:
    settings = command_settings(event_store_dsns, read_model_dsns.reader, webhook_secret_key=Secret(""))
    one = f"{PATH}/{NOBODY}"
    async with command_client(settings) as client:
        for method, path in (
            ("POST", PATH), ("GET", PATH), ("GET", one), ("PATCH", one), ("DELETE", one),
            ("POST", f"{one}:rotate-secret"), ("POST", f"{one}:test"), ("POST", f"{one}:redeliver"),
            ("GET", f"{one}/deliveries"), ("POST", f"{one}/deliveries/1:redeliver"),
        ):  # fmt: skip
            problem = problem_of(await client.request(method, path), 404, "webhooks-off")
            assert "WEBHOOK_SECRET_KEY" in problem["detail"]


async def test_commands_do_without_the_read_model_and_reads_say_that_it_is_away(
    event_store_dsns: DatabaseDsns,
) -> None:
    settings = command_settings(event_store_dsns, "postgresql://catalogue_reader@127.0.0.1:1/read_model")
    async with command_client(settings) as client:
        endpoint_id = (await client.post(PATH, json={"url": URL})).json()["id"]
        path = f"{PATH}/{endpoint_id}"
        enabled = await client.patch(path, json={"status": "enabled"})
        assert (enabled.status_code, enabled.headers["etag"]) == (200, '"2"'), "it may be disabled"
        assert (await client.post(f"{path}/deliveries/1:redeliver")).status_code == 202
        for read in (PATH, path, f"{path}/deliveries"):
            problem_of(await client.get(read), 503, "read-model-unavailable")
        assert (await client.delete(path)).status_code == 204
