"""Redis is lost, or comes back older, under load; somebody types the page, and no reader is misled."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_port
from deploy.local.postgres import PostgresServer
from deploy.local.redis import RedisServer
from tests.end_to_end.readers import is_old_without_token
from tests.end_to_end.recovering import READERS, Shell, all_is_shown, all_is_well, commands_of, shell_of
from tests.end_to_end.settled_cache import settle_cache
from tests.end_to_end.system import PATIENCE_OF_TESTS, Servers, System
from tests.end_to_end.workload import Load
from tests.eventually import eventually

pytestmark = [pytest.mark.servers, pytest.mark.prove]
PAGE = "docs/recovery/redis.md"
COMMANDS = 100


@pytest.fixture
def own_system(
    postgres_server: PostgresServer, kafka_server: KafkaServer, tmp_path: Path
) -> Iterator[System]:
    """An installation with a Redis that no other test has."""
    redis = RedisServer(tmp_path / "redis", free_port(), tmp_path / "redis.log")
    system = System(Servers(postgres_server, redis, kafka_server), tmp_path, PATIENCE_OF_TESTS)
    try:
        redis.start()
        system.start()
        settle_cache(system)
        yield system
        system.close()
    finally:
        redis.stop()


def lose_all_data(redis: RedisServer) -> None:
    redis.kill()
    shutil.rmtree(redis.data_dir)
    redis.start()


class Older:
    """What Redis had at this moment."""

    def __init__(self, redis: RedisServer, kept: Path) -> None:
        self._redis = redis
        self._kept = kept
        shutil.copyfile(redis.data_dir / "appendonly.aof", kept)

    def come_back(self) -> None:
        self._redis.kill()
        shutil.copyfile(self._kept, self._redis.data_dir / "appendonly.aof")
        self._redis.start()


def live_generation(system: System) -> int:
    with Redis.from_url(system.redis_url) as redis:
        return int(redis.get(f"{system.prefix}:product-generation") or 0)


async def the_cache_is_another(system: System) -> None:
    """For `eventually`."""
    assert await asyncio.to_thread(live_generation, system) == 1


def reasons_to_begin_anew(system: System) -> list[str]:
    """So far, as the projector has logged them."""
    found = [line for line in system.log_of(system.projector) if line["event"] == "the cache is started anew"]
    return [line["reason"] for line in found]


async def the_page_says_that_all_is_well(shell: Shell, system: System, load: Load) -> None:
    status, verify = commands_of(PAGE)
    await load.begin(COMMANDS)
    evidence = await all_is_well(system, load)
    assert evidence.views["product_cache"] != {}
    await eventually(lambda: shell.all_are("running", status))
    assert "difference" not in await shell.must_succeed(verify)
    assert load.wrong == []


async def test_readers_notice_nothing_when_redis_loses_all(own_system: System) -> None:
    with shell_of(own_system) as shell:
        async with Load(own_system, clients=2, readers=READERS) as load:
            await load.begin(COMMANDS)
            await all_is_shown(own_system, load)
            async with load.going_on(COMMANDS, settled=COMMANDS // 3) as running:
                await asyncio.to_thread(lose_all_data, own_system.servers.redis)
            await running
            await the_page_says_that_all_is_well(shell, own_system, load)
        assert load.readers.excused == []
        assert "older" not in reasons_to_begin_anew(own_system)


@pytest.mark.parametrize("looks", [True, False], ids=["a-projector-looks", "none-looks-at-first"])
async def test_documents_of_an_older_redis_are_read_until_a_projector_looks_and_never_with_a_token(
    own_system: System, tmp_path: Path, looks: bool
) -> None:
    system = own_system
    with shell_of(system) as shell:
        async with Load(system, clients=2, readers=READERS) as load:
            await load.begin(COMMANDS)
            older = Older(system.servers.redis, tmp_path / "older.aof")
            await load.begin(COMMANDS)
            await all_is_shown(system, load)
            async with load.going_on(COMMANDS, settled=COMMANDS // 3) as running:
                with load.readers.excused_if(is_old_without_token):
                    if not looks:
                        system.projector.pause()
                    await asyncio.to_thread(older.come_back)
                    if not looks:
                        await eventually(lambda: some_were_misled(load))
                        system.projector.resume()
                    back_at = time.monotonic()
                    await eventually(lambda: the_cache_is_another(system))
                    seconds = time.monotonic() - back_at
            await running
            await the_page_says_that_all_is_well(shell, system, load)
        assert reasons_to_begin_anew(system) == ["older"]
        print(f"begun anew after {seconds:.1f} s; {len(load.readers.excused)} old reads: {shell.seconds}")


def some_were_misled(load: Load) -> None:
    """For `eventually`."""
    assert load.readers.excused != []
