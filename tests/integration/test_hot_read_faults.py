"""The hot read where Redis does not answer, or a caller does not wait: a query API of each test's own."""

import pytest

from deploy.local.redis import RedisServer
from shared.contract.views import ProductDocument, encode_document
from tests.integration.query_world import World, product
from tests.integration.query_world import own_world as world
from tests.integration.wire import get, wire

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
