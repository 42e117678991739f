"""Who may follow the events: tokens, tickets for browsers, and pages of other origins."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from shared.access.scopes import Scope
from tests.guards import bearer
from tests.integration.history_world import GUARDED, UNLIMITED, PastWorld, past_world
from tests.past_events import created, past_events
from tests.servers import DatabaseDsns
from tests.sse_client import following

pytestmark = pytest.mark.servers
SUBSCRIBER, READER = bearer(Scope.EVENTS_READ), bearer(Scope.PRODUCTS_READ)
PAGE = "https://shop.example.com"


@pytest_asyncio.fixture(scope="module")
async def world(
    read_model_of_module: DatabaseDsns, event_store_of_module: DatabaseDsns, redis_url_of_module: str
) -> AsyncIterator[PastWorld]:
    """Callers need tokens, and pages of one origin may read answers."""
    settings: dict[str, Any] = {**GUARDED, **UNLIMITED, "cors_origins": PAGE}
    stores = read_model_of_module, event_store_of_module, redis_url_of_module
    async with past_world(*stores, **settings) as made:
        yield made


async def test_events_need_their_scope(world: PastWorld) -> None:
    for path in ("/v1/events", "/v1/events/stream", "/v1/events/stream-ticket"):
        for headers, status in ((None, 401), (READER, 403)):
            answer = await world.query.served.get(path, headers=headers)
            assert answer.status_code == status
    assert (await world.query.served.get("/v1/events", headers=SUBSCRIBER)).status_code == 200


async def _ticket(client: httpx.AsyncClient) -> str:
    answer = await client.get("/v1/events/stream-ticket", headers=SUBSCRIBER)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert set(answer.json()) == {"ticket", "expires_at"}
    return str(answer.json()["ticket"])


async def test_a_ticket_begins_a_stream_and_nothing_else(world: PastWorld) -> None:
    client = world.query.served
    ticket = await _ticket(client)
    async with following(client, ticket=ticket) as stream:
        events = past_events(created())
        await world.append(events)
        assert [each.id for each in await stream.next(1)] == [str(events[0].log_position)]
    for path in ("/v1/events", "/v1/products"):
        assert (await client.get(path, params={"ticket": ticket})).status_code == 401
    changed = ("A" if ticket[0] != "A" else "B") + ticket[1:]
    answer = await client.get("/v1/events/stream", params={"ticket": changed})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid-token")
    assert "www-authenticate" in answer.headers
    with_both = await client.get("/v1/events/stream", params={"ticket": ticket}, headers=READER)
    assert with_both.status_code == 403, "the token counts"


async def test_a_ticket_is_in_no_line_of_the_log(
    world: PastWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    ticket = await _ticket(world.query.served)
    async with following(world.query.served, ticket=ticket):
        pass
    await world.query.served.get("/v1/events/stream", params={"ticket": f"{ticket}x"})
    captured = capsys.readouterr()
    lines = captured.out + captured.err
    assert "/v1/events/stream" in lines
    assert ticket not in lines


async def test_a_page_of_a_listed_origin_may_follow_with_a_ticket(world: PastWorld) -> None:
    client = world.query.served
    asks = {"origin": PAGE, "access-control-request-method": "GET"}
    preflight = await client.options(
        "/v1/events/stream-ticket", headers={**asks, "access-control-request-headers": "authorization"}
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == PAGE
    assert "GET" in preflight.headers["access-control-allow-methods"]
    assert "Last-Event-ID" in preflight.headers["access-control-allow-headers"]
    parameters = {"ticket": await _ticket(client)}
    address = "/v1/events/stream"
    async with client.stream("GET", address, params=parameters, headers={"origin": PAGE}) as answer:
        assert answer.headers["access-control-allow-origin"] == PAGE
    parameters = {"ticket": await _ticket(client)}
    other = {"origin": "https://other.example.com"}
    async with client.stream("GET", address, params=parameters, headers=other) as answer:
        assert "access-control-allow-origin" not in answer.headers
