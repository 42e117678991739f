"""Who sees and changes which webhook endpoints."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.access.scopes import Scope
from tests.guards import bearer, guard
from tests.integration.history_world import GUARDED
from tests.integration.webhook_world import PATH, WebhookWorld, webhook_world
from tests.servers import DatabaseDsns
from tests.unit.command_http.write_client import problem_of

pytestmark = pytest.mark.servers
ANN = bearer(Scope.EVENTS_READ, sub="ann")
BOB = bearer(Scope.EVENTS_READ, sub="bob")
OBSERVER = bearer(Scope.EVENTS_READ, Scope.OPS_READ, sub="observer")
OPERATOR = bearer(Scope.EVENTS_READ, Scope.OPS_READ, Scope.OPS_WRITE, sub="operator")


@pytest_asyncio.fixture
async def world(event_store_dsns: DatabaseDsns, read_model_dsns: DatabaseDsns) -> AsyncIterator[WebhookWorld]:
    async with webhook_world(event_store_dsns, read_model_dsns, guard(), **GUARDED) as made:
        yield made


async def test_webhooks_need_a_token_with_their_scope(world: WebhookWorld) -> None:
    reader = bearer(Scope.PRODUCTS_READ, Scope.PRODUCTS_WRITE)
    for client in (world.command, world.query):
        assert (await client.get(PATH)).status_code == 401
        assert (await client.get(PATH, headers=reader)).status_code == 403
    assert (await world.command.post(PATH, json={}, headers=reader)).status_code == 403


async def test_callers_see_their_own_endpoints_and_who_observes_sees_all(world: WebhookWorld) -> None:
    mine = (await world.register(ANN))["id"]
    others = (await world.register(BOB))["id"]
    for client in (world.command, world.query):
        for caller, seen in ((ANN, [mine]), (BOB, [others]), (OBSERVER, [mine, others])):
            items = (await client.get(PATH, headers=caller)).json()["items"]
            assert [each["id"] for each in items] == seen
        for path in (f"{PATH}/{mine}", f"{PATH}/{mine}/deliveries"):
            assert (await client.get(path, headers=ANN)).status_code == 200
            assert (await client.get(path, headers=OBSERVER)).status_code == 200
            problem_of(await client.get(path, headers=BOB), 404, "webhook-endpoint-not-found")


async def test_nobody_changes_an_endpoint_of_somebody_else_but_an_operator(world: WebhookWorld) -> None:
    endpoint_id = (await world.register(ANN))["id"]
    path = f"{PATH}/{endpoint_id}"
    for caller in (BOB, OBSERVER):
        for method, at, body in (
            ("PATCH", path, {"description": "taken"}),
            ("DELETE", path, None),
            ("POST", f"{path}:rotate-secret", None),
            ("POST", f"{path}:test", None),
            ("POST", f"{path}:redeliver", {"after": 0}),
            ("POST", f"{path}/deliveries/1:redeliver", None),
        ):
            refused = await world.command.request(method, at, json=body, headers=caller)
            problem_of(refused, 404, "webhook-endpoint-not-found")
    assert len(await world.events(endpoint_id)) == 1
    changed = await world.command.patch(path, json={"status": "paused"}, headers=OPERATOR)
    assert changed.status_code == 200
    assert (await world.command.get(path, headers=ANN)).json()["status"] == "paused", "it stays hers"
    actors = await world.event_store.fetch(
        "SELECT actor FROM catalogue.webhook_events ORDER BY change_position"
    )
    assert [row["actor"] for row in actors] == ["ann", "operator"]
