"""The cache's next generation: filled beside the live one, switched for everybody at once, and back again."""

import asyncio

import pytest
from redis.asyncio import Redis

from query_api.assembly import query_api
from query_api.settings import QuerySettings
from shared.contract import events as e
from shared.contract.addresses import cache_frozen_key, cache_generation_key, product_key
from shared.contract.cached_document import pack, unpack
from shared.redis.guarded_documents import GuardedDocuments
from shared.redis.product_keys import GenerationFrozen, GenerationMoved, ProductKeys
from tests.eventually import eventually
from tests.integration.projector_commands import command, command_json
from tests.integration.projector_world import World, world
from tests.integration.rebuild_world import (
    Writer,
    all_cached,
    generation,
    parked_products,
    some_products,
    writer,
)
from tests.unit.projector.histories import created, new_product_id, priced

__all__ = ["world", "writer"]
pytestmark = pytest.mark.servers
CACHE = "product_cache"


async def test_a_rebuilt_cache_is_equal_and_projectors_and_readers_move_to_it_at_once(
    world: World, writer: Writer
) -> None:
    prefix = world.settings.redis_key_prefix
    settings = QuerySettings(
        _env_file=None,
        read_model_dsn=world.settings.read_model_dsn,
        redis_url=world.settings.redis_url,
        redis_key_prefix=prefix,
    )
    async with world.projecting(CACHE), query_api(settings) as api:
        await some_products(writer)
        await eventually(lambda: all_cached(world, writer))
        product_id = writer.streams[0][0].product_id
        assert await api.hot.cache.read(str(product_id)) is not None
        result = await command_json(world, "rebuild", CACHE, "--workers", "2")
        assert (result["equal"], result["switched"], result["rows"]) == (True, True, 31)
        assert await generation(world) == 1
        await all_cached(world, writer)
        assert 0 < await world.redis.pttl(product_key(prefix, product_id, 1)) <= 1.1 * 86_400_000
        # A reader that thinks of the old generation gets the new one; a document there is proof of it.
        await world.redis.set(product_key(prefix, product_id), pack(1, b"of the old generation"))
        packed = await api.hot.cache.read(str(product_id))
        assert packed is not None
        assert unpack(packed).stream_version == 3
        # And so does the projector.
        more = await writer.happen(created(slug="more"), priced("5.00"))
        await eventually(lambda: all_cached(world, writer))
        assert await world.redis.get(product_key(prefix, more[0].product_id)) is None
        await world.ready()


async def test_while_the_cache_is_rebuilt_writes_go_on_and_none_is_lost(world: World, writer: Writer) -> None:
    async with world.projecting(CACHE):
        await some_products(writer)
        await eventually(lambda: all_cached(world, writer))
        done = asyncio.Event()

        async def write() -> None:
            while not done.is_set():
                await writer.happen(created(slug=f"s-{writer.position}"), priced("3.00"), e.ProductDeleted())

        writing = asyncio.create_task(write())
        for number in (1, 2):
            assert (await command_json(world, "rebuild", CACHE, "--workers", "1"))["equal"] is True
            assert await generation(world) == number
        done.set()
        await writing
        await eventually(lambda: all_cached(world, writer))


async def test_after_redis_was_lost_a_rebuild_brings_everything_back(world: World, writer: Writer) -> None:
    async with world.projecting(CACHE):
        await some_products(writer)
        await eventually(lambda: all_cached(world, writer))
        await command(world, "rebuild", CACHE)
        await world.redis.flushdb()
        assert await generation(world) == 0
        result = await command_json(world, "rebuild", CACHE)
        assert (result["rows"], result["left_out"]) == (0, 31)
        await all_cached(world, writer)
        await writer.happen(created(slug="more"))
        await eventually(lambda: all_cached(world, writer))


async def test_a_rolled_back_cache_has_caught_up_before_anybody_reads_it(
    world: World, writer: Writer
) -> None:
    async with world.projecting(CACHE):
        await some_products(writer)
        await eventually(lambda: all_cached(world, writer))
        assert "nothing to roll back" in await command(world, "rebuild", CACHE, "--rollback", code=1)
        await command(world, "rebuild", CACHE)
        await writer.happen(created(slug="after"), priced("3.00"))
        await eventually(lambda: all_cached(world, writer))
        await command(world, "rebuild", CACHE, "--rollback")
        assert await generation(world) == 0
        await all_cached(world, writer)
        await writer.happen(created(slug="later"))
        await eventually(lambda: all_cached(world, writer))
        await command(world, "rebuild", CACHE)
        assert await generation(world) == 2
        await command(world, "rebuild", CACHE, "--finish")
        old = product_key(world.settings.redis_key_prefix, "*")
        assert [key async for key in world.redis.scan_iter(match=old)] == []
        await all_cached(world, writer)


async def test_a_document_that_differs_is_shown_and_nothing_is_switched(world: World, writer: Writer) -> None:
    async with world.projecting(CACHE):
        await some_products(writer)
        await eventually(lambda: all_cached(world, writer))
        wrong = writer.streams[3][0].product_id
        key = product_key(world.settings.redis_key_prefix, wrong)
        await world.redis.set(key, pack(3, b'{"id": "not what was written"}'))
        result = await command_json(world, "rebuild", CACHE, code=4)
        count, shown = result["differences"]
        assert count == "1 documents differ"
        assert shown.startswith(
            f'{wrong} at version 3: document.id is "not what was written" live and "{wrong}"'
        )
        assert await generation(world) == 0
        await command(world, "rebuild", CACHE, "--resume", "--accept-differences")
        await all_cached(world, writer)
        await parked_products(world, [])


async def test_a_write_for_another_generation_or_during_a_switch_is_refused(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        keys = ProductKeys("t")
        documents, product_id = GuardedDocuments(redis, keys, ttl_seconds=60), new_product_id()
        assert await documents.store({product_id: pack(1, b"{}")}) == 1
        await redis.set(cache_generation_key("t"), 4)
        with pytest.raises(GenerationMoved):
            await documents.store({product_id: pack(2, b"{}")})
        assert keys.generation == 4
        assert await documents.store({product_id: pack(2, b"{}")}) == 1
        assert await redis.get(product_key("t", product_id, 4)) == pack(2, b"{}")
        assert await redis.get(product_key("t", product_id)) == pack(1, b"{}")
        await redis.set(cache_frozen_key("t"), "somebody", px=60_000)
        with pytest.raises(GenerationFrozen):
            await documents.store({product_id: pack(3, b"{}")})
        beside = GuardedDocuments(redis, ProductKeys("t", 5), ttl_seconds=60, is_live=False)
        assert await beside.store({product_id: pack(3, b"{}")}) == 1


async def test_a_freeze_that_somebody_else_holds_is_waited_for(world: World, writer: Writer) -> None:
    async with world.projecting(CACHE):
        await some_products(writer)
        await eventually(lambda: all_cached(world, writer))
        # As a rebuild that was killed in the middle of its switch leaves it.
        await world.redis.set(cache_frozen_key(world.settings.redis_key_prefix), "killed", px=1_000)
        await writer.happen(created(slug="meanwhile"))
        assert (await command_json(world, "rebuild", CACHE))["switched"] is True
        await eventually(lambda: all_cached(world, writer))
