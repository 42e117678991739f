"""Readers in front of the in-process cache: tokens, drafts, names, limits, and a Redis that goes away."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.redis import RedisServer
from shared.access.scopes import Scope
from shared.contract.views import ProductDocument
from tests.counters import counted
from tests.eventually import eventually
from tests.guards import bearer
from tests.integration.query_world import LOCAL_CACHE, World, installation, product, token_for
from tests.servers import DatabaseDsns
from tests.tokens import ISSUER, public_document

WAYS = ("served", "framework")


@pytest_asyncio.fixture
async def world(read_model_dsns: DatabaseDsns, redis_url: str) -> AsyncIterator[World]:
    async with (
        installation(read_model_dsns, redis_url, redis_seconds_max=5.0, **LOCAL_CACHE) as own,
        own.world() as one,
    ):
        yield one


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_in_the_process_needs_no_redis(
    world: World, redis_server: RedisServer, way: str
) -> None:
    document = product(version=3)
    await world.keep(document)
    redis_server.pause()
    try:
        for method in ("GET", "HEAD"):
            answer = await world.client(way).request(method, f"/v1/products/{document.id}")
            assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')
            assert answer.headers["cache-status"] == "catalogue; hit"
    finally:
        redis_server.resume()


@pytest.mark.parametrize("way", WAYS)
async def test_a_change_is_seen(world: World, way: str) -> None:
    document = product(version=1)
    await world.keep(document)
    await world.cache_tombstone(document.id, 2)

    async def is_gone() -> None:
        assert (await world.client(way).get(f"/v1/products/{document.id}")).status_code == 404

    await eventually(is_gone)


async def _outdated(world: World) -> ProductDocument:
    """Version 1 in the process and 2 in Redis: the moment in which a change is not told yet, made to last."""
    document = product(version=1)
    await world.keep(document)
    world.api.hot.local.invalidate = lambda _: None  # type: ignore[method-assign]
    await world.cache(product(id=document.id, version=2))
    return document


@pytest.mark.parametrize("way", WAYS)
async def test_a_token_is_never_answered_by_an_older_document_and_nobody_later_is(
    world: World, way: str
) -> None:
    document = await _outdated(world)
    client, path = world.client(way), f"/v1/products/{document.id}"
    assert (await client.get(path)).headers["etag"] == '"1"'
    headers = {"consistency-token": token_for(document.id, 5, 2)}
    assert (await client.get(path, headers=headers)).headers["etag"] == '"2"'
    assert (await client.get(path)).headers["etag"] == '"2"'


async def test_a_refresh_replaces_a_document_and_meanwhile_readers_have_the_old_one(world: World) -> None:
    document = await _outdated(world)
    world.api.hot.local.refresh(str(document.id))

    def is_replaced() -> None:
        entry = world.api.hot.local.get(str(document.id))
        if entry is None:
            raise RuntimeError("a reader would have waited for Redis")
        assert entry.document.stream_version == 2

    await eventually(is_replaced)


@pytest.mark.parametrize("way", WAYS)
async def test_an_absence_in_the_process_is_an_absence_until_the_product_is_there(
    world: World, way: str
) -> None:
    document = product()
    client, path = world.client(way), f"/v1/products/{document.id}"

    async def is_absent_in_the_process() -> None:
        assert (await client.get(path)).status_code == 404
        entry = world.api.hot.local.get(str(document.id))
        assert entry is not None
        assert entry.document.is_deleted

    await eventually(is_absent_in_the_process)
    await world.cache(document)

    async def is_there() -> None:
        assert (await client.get(path)).status_code == 200

    await eventually(is_there)


async def test_a_name_is_compared_with_the_document_in_the_process(world: World) -> None:
    document = product(slug="s")
    await world.store(document)
    await world.keep(document)
    assert (await world.served.get("/v1/products/by-slug/s")).status_code == 200
    before = counted("local_cache_requests_total", result="hit")
    assert (await world.served.get("/v1/products/by-slug/s")).headers["cache-status"] == "catalogue; hit"
    world.api.hot.local.close("lost")
    assert counted("local_cache_requests_total", result="hit") > before


async def test_who_sees_drafts_is_decided_after_the_cache(
    read_model_dsns: DatabaseDsns, redis_url: str
) -> None:
    reader = bearer(Scope.PRODUCTS_READ)
    editor = bearer(Scope.PRODUCTS_READ, Scope.PRODUCTS_READ_DRAFTS)
    access = {"auth_issuer": ISSUER, "auth_public_keys": public_document("first").decode()}
    async with installation(read_model_dsns, redis_url, **LOCAL_CACHE, **access) as own, own.world() as world:
        document = product(status="draft")
        await world.keep(document)
        for way in WAYS:
            for headers, status in ((editor, 200), (reader, 404), (editor, 200), (reader, 404)):
                answer = await world.client(way).get(f"/v1/products/{document.id}", headers=headers)
                assert answer.status_code == status
                if status == 200:
                    assert answer.headers["cache-control"] == "private, no-cache"


async def test_reads_from_the_process_are_counted_against_the_limit(
    read_model_dsns: DatabaseDsns, redis_url: str
) -> None:
    limits = {"reads_per_second_max": 1 / 3600, "reads_burst_max": 2, "rate_limit_seconds_max": 30.0}
    async with installation(read_model_dsns, redis_url, **LOCAL_CACHE, **limits) as own, own.world() as world:
        document = product()
        await world.keep(document)
        answers = [await world.served.get(f"/v1/products/{document.id}") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == ["r=1", "r=0", "r=0"]
