"""A reader with a token gets its write from the event log, before a projection has it; later reads see it."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio

from deploy.local.redis import RedisServer
from shared.contract import events as e
from shared.contract.cached_document import unpack
from shared.contract.consistency_token import ConsistencyToken, encode_token
from tests.counters import counted
from tests.integration.history_world import EDITOR, GUARDED, READER, UNLIMITED, PastWorld, past_world
from tests.integration.query_world import token_for
from tests.past_events import created, past_events, priced
from tests.servers import DatabaseDsns

PATIENCE_SECONDS = 30.0
"""A busy machine may need longer for the log than a reader would wait."""
TOLD = (
    "etag", "cache-control", "cache-status", "content-type", "content-length", "preference-applied",
)  # fmt: skip
pytestmark = pytest.mark.servers


@pytest_asyncio.fixture
async def world(
    read_model_dsns: DatabaseDsns, event_store_of_module: DatabaseDsns, redis_server: RedisServer
) -> AsyncIterator[PastWorld]:
    async with past_world(
        read_model_dsns, event_store_of_module, redis_server.url(3), latest_seconds_max=PATIENCE_SECONDS
    ) as made:
        yield made


async def test_a_write_that_nothing_has_projected_is_read_with_its_token_and_then_without(
    world: PastWorld,
) -> None:
    events = past_events(created(), e.ProductPublished(), priced("9.00"))
    product_id = await world.append(events[:2])
    asked = counted("latest_reads_total", result="found")
    first = await world.get(product_id, headers={"consistency-token": token_for(product_id, 99, 2)})
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    await world.append(events[2:])
    second = await world.get(product_id, headers={"consistency-token": token_for(product_id, 99, 3)})
    assert second.json()["variants"][0]["price"]["amount"] == "9.00"
    assert counted("latest_reads_total", result="found") == asked + 2
    without = await world.get(product_id)
    assert (without.content, without.headers["cache-status"]) == (second.content, "catalogue; hit")


@pytest.mark.parametrize("prefer", [None, "wait=5", "wait=99", "respond-async, wait=3"])
@pytest.mark.parametrize("is_cached", [True, False])
async def test_the_server_and_the_application_answer_alike(
    world: PastWorld, is_cached: bool, prefer: str | None
) -> None:
    """The one before its framework, the other in it."""
    answers = []
    for way in ("served", "framework"):
        events = past_events(created(), priced("9.00"))
        product_id = await world.append(events)
        headers = {"consistency-token": token_for(product_id, 99, 2)}
        if prefer is not None:
            headers["prefer"] = prefer
        client = world.query.client(way)
        for _ in range(2 if is_cached else 1):
            answer = await client.get(f"/v1/products/{product_id}", headers=headers)
        answers.append((answer.status_code, {name: answer.headers.get(name) for name in TOLD}))
    assert answers[0] == answers[1]
    assert answers[0][1]["cache-status"] == ("catalogue; hit" if is_cached else "catalogue; fwd=miss")


async def test_an_unchanged_product_is_304_with_its_token(world: PastWorld) -> None:
    product_id = await world.happened(created())
    headers = {"consistency-token": token_for(product_id, 99, 1), "if-none-match": '"1"'}
    answer = await world.get(product_id, headers=headers)
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize("token", ["rubbish", "of another product", "of an unknown partition", "two"])
async def test_what_is_no_token_of_the_product_is_left_to_the_application(
    world: PastWorld, token: str
) -> None:
    product_id = await world.happened(created())
    its_own, other = token_for(product_id, 99, 1), token_for(uuid4(), 0, 0)
    values = {
        "rubbish": ["rubbish"],
        "of another product": [other],
        "of an unknown partition": [encode_token(ConsistencyToken({10_000: 1}, product_id, 1))],
        "two": [its_own, other],
    }[token]
    headers = [("consistency-token", value) for value in values]
    answers = [
        await world.query.client(way).get(f"/v1/products/{product_id}", headers=headers)
        for way in ("served", "framework")
    ]
    assert answers[0].status_code == answers[1].status_code
    assert (answers[0].status_code == 400) == (token != "of another product")


async def test_a_deletion_that_nothing_has_projected_is_404(world: PastWorld) -> None:
    product_id = await world.happened(created(), e.ProductDeleted())
    answer = await world.get(product_id, headers={"consistency-token": token_for(product_id, 99, 2)})
    assert answer.status_code == 404
    packed = await world.query.cached(product_id)
    assert packed is not None
    assert unpack(packed).is_deleted


async def test_without_events_in_reach_a_reader_waits_for_the_projector(
    read_model_dsns: DatabaseDsns, event_store_of_module: DatabaseDsns, redis_server: RedisServer
) -> None:
    redis_url = redis_server.url(3)
    async with past_world(read_model_dsns, event_store_of_module, redis_url, latest_events_max=0) as world:
        product_id = await world.happened(created())
        headers = {"consistency-token": token_for(product_id, 99, 1), "prefer": "wait=0"}
        answer = await world.get(product_id, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "read-model-behind")


async def test_a_draft_is_read_by_who_may_see_it_and_tells_others_nothing(
    read_model_dsns: DatabaseDsns, event_store_of_module: DatabaseDsns, redis_server: RedisServer
) -> None:
    settings = {**GUARDED, **UNLIMITED, "latest_seconds_max": PATIENCE_SECONDS}
    redis_url = redis_server.url(3)
    async with past_world(read_model_dsns, event_store_of_module, redis_url, **settings) as world:
        product_id = await world.happened(created())
        token = {"consistency-token": token_for(product_id, 99, 1), "prefer": "wait=0"}
        hidden = await world.get(product_id, headers={**READER, **token})
        assert (hidden.status_code, hidden.json()["code"]) == (503, "read-model-behind")
        assert (await world.get(product_id, headers={**EDITOR, **token})).status_code == 200


async def test_without_redis_the_log_still_has_the_write(world: PastWorld, redis_server: RedisServer) -> None:
    product_id = await world.happened(created(), priced("9.00"))
    redis_server.kill()
    try:
        answer = await world.get(product_id, headers={"consistency-token": token_for(product_id, 99, 2)})
        assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    finally:
        redis_server.ensure_running()
