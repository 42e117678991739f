"""Lists from the memory of the process: the same answer as from the framework, and never an older one than
from Redis."""

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.redis import RedisServer
from query_api.products.kept_pages import KeptPage
from query_api.products.ports import ListGeneration
from shared.contract.addresses import list_generation_key
from shared.contract.views import encode_document
from tests.counters import counted
from tests.integration.kept_answers import (
    ACCESS,
    EDITOR,
    HITS,
    PATIENT,
    READER,
    from_process,
    ids_of,
    lasting_headers,
    not_from_process,
)
from tests.integration.query_world import PREFIX, World, installation, product, token_for
from tests.integration.stalled_redis import behind_proxy, stalled
from tests.integration.wire import wire
from tests.recorded_spans import SAMPLED, recorded_spans, trace_id_of
from tests.servers import DatabaseDsns


@pytest_asyncio.fixture
async def world(read_model_dsns: DatabaseDsns, redis_url: str) -> AsyncIterator[World]:
    """Without search: the table answers all lists."""
    async with (
        installation(read_model_dsns, redis_url, **PATIENT, search="off") as own,
        own.world() as one,
    ):
        yield one


@pytest.mark.parametrize(
    "path",
    [
        "/v1/products",
        "/v1/products?category=apparel&limit=1",
        "/v1/products?fields=name&limit=1",
        "/v1/products?brand=B%C3%A4r&sort=name",
    ],
)
async def test_the_answer_is_that_of_the_framework(world: World, path: str) -> None:
    for _ in range(3):
        await world.store(product(category="apparel/shirts", brand="Bär"))
    await not_from_process(world.served, path)
    kept = await from_process(world.served, path)
    same = await world.framework.get(path)
    assert kept.content == same.content
    always = {name: value for name, value in lasting_headers(kept).items() if name in same.headers}
    assert always == lasting_headers(same)
    assert kept.headers["cache-status"] == "catalogue; hit"
    assert kept.headers["age"].isdecimal()
    head = await world.served.head(path)
    assert (head.content, lasting_headers(head)) == (b"", lasting_headers(kept))


async def test_a_change_is_seen_by_the_next_request(world: World) -> None:
    one, two = product(category="apparel"), product(category="apparel")
    await world.store(one)
    for path in ("/v1/products", "/v1/products?category=apparel"):
        await world.served.get(path)
        assert ids_of(await from_process(world.served, path)) == [str(one.id)]
    await world.store(two)
    await world.next_generation("apparel")
    for path in ("/v1/products", "/v1/products?category=apparel"):
        changed = await not_from_process(world.served, path)
        assert sorted(ids_of(changed)) == sorted([str(one.id), str(two.id)])
        await from_process(world.served, path)


async def test_other_categories_stay(world: World) -> None:
    await world.store(product(category="apparel"))
    await world.served.get("/v1/products?category=apparel")
    await world.next_generation("home")
    await from_process(world.served, "/v1/products?category=apparel")


async def test_a_page_from_before_a_loss_of_redis_is_not_used(world: World) -> None:
    one, two = product(), product()
    await world.store(one)
    await world.served.get("/v1/products")
    await world.store(two)
    await world.redis.flushdb()
    assert len(ids_of(await not_from_process(world.served, "/v1/products"))) == 2


async def test_a_page_that_was_made_during_a_change_is_not_used(world: World) -> None:
    """It was read under the old number, so it is kept under that one, however late."""
    await world.store(product())
    number = await world.redis.get(list_generation_key(PREFIX, None))
    assert number is None
    await world.served.get("/v1/products")
    old = ListGeneration(None, await world.redis.get(list_generation_key(PREFIX, None)))
    await world.next_generation(None)
    page = KeptPage(b"old", (), old, time.time())
    world.api.hot.pages.keep(b"", page, sees_all=True)
    assert (await not_from_process(world.served, "/v1/products")).json()["items"]


async def test_what_depends_on_more_than_the_address_is_for_the_application(world: World) -> None:
    one = product()
    await world.store(one)
    await world.pass_checkpoint(one.id, 1)
    await world.served.get("/v1/products")
    token = {"consistency-token": token_for(one.id, 1)}
    for given, status in (
        (token, 200),
        ({"consistency-token": "?"}, 400),
        ({"if-match": '"1"'}, 412),
    ):
        answer = await not_from_process(world.served, "/v1/products", headers=given)
        assert answer.status_code == status
    for path in ("/v1/products?", "/v1/products?limit=50", "/v1/products?q=shirt", "/v1/products?wrong=1"):
        if path != "/v1/products?":
            await not_from_process(world.served, path)
    assert (await world.served.post("/v1/products")).status_code == 405


async def test_pipelined_lists_and_products_are_answered_in_their_order(world: World) -> None:
    one = product(version=3)
    await world.store(one)
    await world.cache(one)
    await world.served.get("/v1/products")
    lists = "GET /v1/products HTTP/1.1\nhost: localhost"
    single = f"GET /v1/products/{one.id} HTTP/1.1\nhost: localhost"
    page = b'{"items":[' + encode_document(one) + b'],"next_cursor":null}'
    async with wire(world) as to:
        to.ask(lists, single, lists, single)
        assert [(await to.answer())[2] for _ in range(4)] == [page, encode_document(one)] * 2
        for _ in range(2):
            to.ask(lists)
            assert (await to.answer())[2] == page
            to.ask(single)
            assert (await to.answer())[2] == encode_document(one)


async def test_the_connection_ends_where_the_client_wants_it(world: World) -> None:
    await world.store(product())
    await world.served.get("/v1/products")
    async with wire(world) as to:
        to.ask("GET /v1/products HTTP/1.1\nhost: localhost\nconnection: close")
        status, headers, _ = await to.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await to.is_closed()


async def test_a_list_is_in_the_trace_of_its_caller(world: World) -> None:
    await world.store(product())
    await world.served.get("/v1/products")
    with recorded_spans() as spans:
        await from_process(world.served, "/v1/products", headers={"traceparent": SAMPLED.header})
    assert spans.names == ["GET /v1/products"]
    assert trace_id_of(spans.all[0]) == SAMPLED.trace_id


async def test_drafts_are_only_for_those_who_may_see_them(
    read_model_dsns: DatabaseDsns, redis_url: str
) -> None:
    drafts = "/v1/products?status=draft"
    async with (
        installation(read_model_dsns, redis_url, **PATIENT, search="off", **ACCESS) as own,
        own.world() as world,
    ):
        await world.store(product(status="draft"))
        await world.store(product())
        assert len(ids_of(await world.served.get(drafts, headers=EDITOR))) == 1
        kept = await from_process(world.served, drafts, headers=EDITOR)
        assert kept.headers["cache-control"].startswith("private")
        assert (await world.served.get(drafts, headers=READER)).status_code == 403
        assert (await world.served.get(drafts)).status_code == 401
        for caller in (EDITOR, READER):
            await not_from_process(world.served, "/v1/products", headers=caller)
            await from_process(world.served, "/v1/products", headers=caller)
        assert (await world.served.get("/v1/products")).status_code == 401


async def test_lists_count_against_the_limit(read_model_dsns: DatabaseDsns, redis_url: str) -> None:
    limits = {"reads_per_second_max": 1 / 3600, "reads_burst_max": 3, "rate_limit_seconds_max": 30.0}
    async with (
        installation(read_model_dsns, redis_url, **PATIENT, **limits) as own,
        own.world() as world,
    ):
        await world.store(product())
        await world.served.get("/v1/products")
        hits = counted(HITS, result="hit")
        answers = [await world.served.get("/v1/products") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert counted(HITS, result="hit") - hits == 2
        assert "ratelimit" in answers[0].headers


async def test_a_dead_redis_is_waited_for_once_and_the_table_answers(
    read_model_dsns: DatabaseDsns, redis_url: str, redis_server: RedisServer
) -> None:
    async with behind_proxy(read_model_dsns, redis_url, redis_server) as (world, proxy):
        one = product()
        await world.store(one)
        await world.served.get("/v1/products")
        with stalled(proxy):
            for _ in range(3):
                answer = await not_from_process(world.served, "/v1/products")
                assert (answer.status_code, ids_of(answer)) == (200, [str(one.id)])
                assert answer.headers["cache-status"] == "catalogue; fwd=bypass"


async def test_nothing_is_kept_where_it_is_off(read_model_dsns: DatabaseDsns, redis_url: str) -> None:
    async with (
        installation(read_model_dsns, redis_url, local_list_cache_bytes_max=0) as own,
        own.world() as world,
    ):
        await world.store(product())
        for _ in range(2):
            await not_from_process(world.served, "/v1/products")
