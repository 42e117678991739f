"""The hot read where Redis does not answer, or a caller does not wait: a query API of each test's own."""

import pytest

from deploy.local.redis import RedisServer
from shared.contract.views import ProductDocument, encode_document
from tests.counters import counted
from tests.integration.query_world import World, product
from tests.integration.query_world import own_world as world
from tests.integration.stalled_redis import behind_proxy, stalled
from tests.integration.wire import get, wire
from tests.servers import DatabaseDsns

__all__ = ["world"]


@pytest.fixture
async def cached(world: World) -> ProductDocument:
    document = product(version=3)
    await world.cache(document)
    return document


async def test_a_caller_that_hangs_up_during_the_read_harms_nobody(
    world: World, cached: ProductDocument, redis_server: RedisServer
) -> None:
    redis_server.pause()
    try:
        for _ in range(5):
            async with wire(world) as to:
                to.ask(get(cached))
                await to.writer.drain()
    finally:
        redis_server.resume()
    assert (await world.served.get(f"/v1/products/{cached.id}")).status_code == 200


async def test_a_dead_redis_is_waited_for_once_although_two_layers_read(
    read_model_dsns: DatabaseDsns, redis_url: str, redis_server: RedisServer
) -> None:
    """Otherwise a reader waits for two time-outs, or for more where others wait, too."""
    async with behind_proxy(read_model_dsns, redis_url, redis_server) as (world, proxy):
        document = product(version=3)
        await world.store(document)
        before = counted("cache_requests_total", result="bypass")
        with stalled(proxy):
            for _ in range(3):
                answer = await world.served.get(f"/v1/products/{document.id}")
                assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')
                assert answer.headers["cache-status"] == "catalogue; fwd=bypass"
        assert counted("cache_requests_total", result="bypass") == before + 3


async def test_what_redis_does_not_answer_in_time_comes_from_the_table(
    world: World, cached: ProductDocument, redis_server: RedisServer
) -> None:
    await world.store(cached)
    redis_server.pause()
    try:
        answer = await world.served.get(f"/v1/products/{cached.id}")
    finally:
        redis_server.resume()
    assert (answer.status_code, answer.headers["cache-status"]) == (200, "catalogue; fwd=bypass")
    assert answer.content == encode_document(cached)
