"""Redis comes back with older data: its documents are old, and nobody may read them for a day."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.redis import RedisServer
from projector.projections import PRODUCT_CACHE
from shared.contract.addresses import cache_checkpoint_key, product_key
from shared.contract.cached_document import unpack
from shared.contract.recorded_event import RecordedEvent
from tests.counters import counted
from tests.eventually import eventually
from tests.integration.projector_commands import command, command_json
from tests.integration.projector_world import World, world
from tests.integration.rebuild_world import Writer, all_cached, generation, some_products, writer
from tests.unit.projector.histories import created, history, new_product_id, priced

__all__ = ["world", "writer"]
pytestmark = pytest.mark.servers
CACHE = PRODUCT_CACHE.name


class OlderRedis:
    """Goes back to what it was when `remember` was called, as a replica that lags and is promoted."""

    def __init__(self, server: RedisServer, kept: Path) -> None:
        self._server = server
        self._file = server.data_dir / "appendonly.aof"
        self._kept = kept

    def remember(self) -> None:
        shutil.copyfile(self._file, self._kept)

    async def go_back(self, world: World) -> None:
        self._server.kill()
        shutil.copyfile(self._kept, self._file)
        self._server.ensure_running()
        await world.redis.connection_pool.disconnect()


@pytest.fixture
def older_redis(redis_server: RedisServer, tmp_path: Path) -> Iterator[OlderRedis]:
    yield OlderRedis(redis_server, tmp_path / "kept.aof")
    redis_server.ensure_running()


async def live_version(world: World, event: RecordedEvent) -> int:
    """0: not cached."""
    key = product_key(world.settings.redis_key_prefix, event.product_id, await generation(world))
    value = await world.redis.get(key)
    return 0 if value is None else unpack(value).stream_version


async def a_product_that_changes(world: World, writer: Writer, older: OlderRedis) -> list[RecordedEvent]:
    """It is cached with version 1 when Redis is remembered, and with version 2 now."""
    first, second = history(new_product_id(), created(), priced("7.00"), first_position=writer.position + 1)
    writer.position += 2
    await happens(world, writer, first)
    older.remember()
    await happens(world, writer, second)
    return [first, second]


async def happens(world: World, writer: Writer, event: RecordedEvent) -> None:
    await writer.keep([event])
    await world.publish([event])
    await writer.published()
    await eventually(lambda: shows(world, event, event.stream_version))
    await eventually(lambda: checkpoints_are(world, event.log_position))


async def shows(world: World, event: RecordedEvent, version: int) -> None:
    assert await live_version(world, event) == version


async def checkpoints_are(world: World, records: int) -> None:
    found = await world.redis.hgetall(cache_checkpoint_key(world.settings.redis_key_prefix))
    assert sum(int(value) for name, value in found.items() if name.isdigit()) == records


async def test_documents_of_a_redis_that_went_back_are_read_no_more(
    world: World, writer: Writer, older_redis: OlderRedis
) -> None:
    before = counted("cache_started_anew_total", reason="older")
    async with world.projecting(CACHE):
        stream = await a_product_that_changes(world, writer, older_redis)
        await older_redis.go_back(world)

        async def begun_again() -> None:
            assert await generation(world) == 1
            await shows(world, stream[0], 0)

        await eventually(begun_again)
        assert counted("cache_started_anew_total", reason="older") == before + 1
        assert re.search(
            r"^the cache was started anew at 20\S+: older$", await command(world, "status"), re.M
        )
        await writer.happen(created(slug="later"))
        await eventually(lambda: shows(world, writer.streams[-1][0], 1))
        assert await generation(world) == 1


async def test_nor_if_no_projector_ran_when_it_went_back(
    world: World, writer: Writer, older_redis: OlderRedis
) -> None:
    async with world.projecting(CACHE):
        stream = await a_product_that_changes(world, writer, older_redis)
    await older_redis.go_back(world)
    await shows(world, stream[0], 1)
    async with world.projecting(CACHE):
        await eventually(lambda: shows(world, stream[0], 0))
        assert await generation(world) == 1


async def test_an_empty_redis_stays_at_its_generation_and_fills_again(world: World, writer: Writer) -> None:
    before = counted("cache_started_anew_total", reason="empty")
    async with world.projecting(CACHE):
        await writer.happen(created())
        await eventually(lambda: checkpoints_are(world, 1))
        await world.redis.flushdb()
        await eventually(lambda: checkpoints_are(world, 1))
        assert await generation(world) == 0
        assert counted("cache_started_anew_total", reason="empty") >= before + 1
        assert "started anew" not in await command(world, "status")


async def test_a_rebuild_of_an_empty_redis_is_not_taken_for_documents_without_checkpoint(
    world: World, writer: Writer
) -> None:
    async with world.projecting(CACHE):
        await some_products(writer)
        await eventually(lambda: all_cached(world, writer))
    await world.redis.flushdb()
    await command(world, "rebuild", CACHE, "--without-comparison")
    before = counted("cache_started_anew_total", reason="without-checkpoint")
    async with world.projecting(CACHE):
        await writer.happen(created(slug="later"))
        await eventually(lambda: all_cached(world, writer))
    assert counted("cache_started_anew_total", reason="without-checkpoint") == before


async def test_a_rebuild_does_not_switch_to_a_generation_of_which_redis_lost_writes(
    world: World, writer: Writer
) -> None:
    async with world.projecting(CACHE):
        await writer.happen(created())
        await eventually(lambda: checkpoints_are(world, 1))
        await command_json(world, "rebuild", CACHE, "--no-switch")
        await writer.happen(created(slug="later"))
        await eventually(lambda: checkpoints_are(world, 2))
        await command_json(world, "rebuild", CACHE, "--resume", "--no-switch")
        key = f"{world.settings.redis_key_prefix}:product-generation:filled:1"
        assert int(await world.redis.get(key)) >= 1
        await world.redis.set(key, 0)
        assert "Redis lost writes" in await command(world, "rebuild", CACHE, "--resume", code=1)
        assert await generation(world) == 0
