"""The projector, its rebuild and the query API on a Redis cluster of three primaries: as on one server."""

import asyncio
from collections.abc import Iterator

import pytest

from query_api.assembly import query_api
from query_api.settings import QuerySettings
from shared.contract.addresses import CACHE_GROUP_TAGS
from shared.contract.cached_document import unpack
from shared.redis.key_groups import key_groups
from tests.eventually import eventually
from tests.integration.projector_commands import command, command_json
from tests.integration.projector_world import World, world
from tests.integration.rebuild_world import Writer, all_cached, some_products, verify, writer
from tests.redis_servers import RedisCluster, running
from tests.unit.projector.histories import created, priced

__all__ = ["world", "writer"]
pytestmark = pytest.mark.servers
CACHE = "product_cache"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    one = RedisCluster(tmp_path_factory.mktemp("cluster"))
    with running(one):
        yield one


@pytest.fixture
def redis_url(cluster: RedisCluster) -> str:
    return cluster.url


async def generations(world: World) -> set[int]:
    groups = key_groups(world.redis, world.settings.redis_key_prefix).groups
    return {int(await world.redis.get(keys.generation_key) or 0) for keys in groups}


async def test_the_cache_is_written_read_rebuilt_and_rolled_back_on_all_nodes(
    world: World, writer: Writer, cluster: RedisCluster
) -> None:
    settings = QuerySettings(
        _env_file=None,
        read_model_dsn=world.settings.read_model_dsn,
        redis_url=world.settings.redis_url,
        redis_key_prefix=world.settings.redis_key_prefix,
        redis_seconds_max=5,
    )
    async with world.projecting(CACHE), query_api(settings) as api:
        await some_products(writer)
        await eventually(lambda: all_cached(world, writer))
        ids = [stream[0].product_id for stream in writer.streams]
        values = await asyncio.gather(*(api.hot.cache.read(str(product_id)) for product_id in ids))
        assert [value and unpack(value).stream_version for value in values] == [3] * 30 + [2]
        for node in cluster.primaries:
            with node.client as client:
                assert client.dbsize() > 0
        result = await command_json(world, "rebuild", CACHE, "--workers", "2")
        assert (result["equal"], result["switched"], result["rows"]) == (True, True, 31)
        assert await generations(world) == {1}
        await all_cached(world, writer)
        # A reader that thinks of the old generation gets the new one.
        values = await asyncio.gather(*(api.hot.cache.read(str(product_id)) for product_id in ids))
        assert [value and unpack(value).stream_version for value in values] == [3] * 30 + [2]
        await writer.happen(created(slug="more"), priced("5.00"))
        await eventually(lambda: all_cached(world, writer))
        await verify(world, CACHE)
        await command(world, "rebuild", CACHE, "--rollback")
        assert await generations(world) == {0}
        await all_cached(world, writer)
        await command(world, "rebuild", CACHE)
        assert await generations(world) == {2}
        await command(world, "rebuild", CACHE, "--finish")
        kept = {key.split(b":")[2] async for key in world.redis.scan_iter(f"{settings.redis_key_prefix}:{{*")}
        assert kept & {b"product", b"product.1", b"product.2"} == {b"product.2"}
        await all_cached(world, writer)
        await world.ready()


async def test_a_node_that_is_emptied_costs_its_own_groups_their_documents_and_no_others(
    world: World, writer: Writer, cluster: RedisCluster
) -> None:
    prefix = world.settings.redis_key_prefix
    node = cluster.primaries[1]

    async def checkpoints() -> None:
        for keys in key_groups(world.redis, prefix).groups:
            assert await world.redis.hlen(keys.checkpoint_key) > 2

    async with world.projecting(CACHE):
        await some_products(writer)
        await eventually(lambda: all_cached(world, writer))
        await eventually(checkpoints)
        with node.client as client:
            # As after a restart with an older file: the documents are there, and what proves them is not.
            lost = [
                key for key in client.scan_iter(f"{prefix}:*") if key.endswith(b":product-cache:checkpoint")
            ]
            assert len(lost) == len(CACHE_GROUP_TAGS) / len(cluster.primaries)
            with_documents = {key for key in lost if client.exists(key.replace(b":checkpoint", b":since"))}
            assert with_documents
            for key in lost:
                client.delete(key)

        async def only_lost_ones_began_anew() -> None:
            for keys in key_groups(world.redis, prefix).groups:
                live = int(await world.redis.get(keys.generation_key) or 0)
                assert live == (1 if keys.checkpoint_key.encode() in with_documents else 0)

        await eventually(only_lost_ones_began_anew)
        await writer.happen(created(slug="after"), priced("3.00"))
        await eventually(lambda: world.group_shows(writer.streams[-1][0].product_id, 2))
        status = await command(world, "status")
        assert "without-checkpoint" in status
