"""Redis is lost, or comes back older, under load; somebody types the page about it: no reader is misled."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_port
from deploy.local.postgres import PostgresServer
from deploy.local.redis import RedisServer
from tests.documents.console_blocks import commands, shell_blocks
from tests.documents.terminal import Terminal
from tests.end_to_end.evidence import must_be_consistent
from tests.end_to_end.system import PATIENCE_OF_TESTS, REPOSITORY, Servers, System
from tests.end_to_end.workload import Load
from tests.eventually import eventually

pytestmark = [pytest.mark.servers, pytest.mark.prove]
PAGE = REPOSITORY / "docs/recovery/redis.md"
COMMANDS = 60
COMMAND_SECONDS_MAX = 120.0


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
        yield system
        system.close()
    finally:
        redis.stop()


@pytest.fixture
def terminal(own_system: System) -> Iterator[Terminal]:
    environment = {
        **os.environ,
        **own_system.environment(),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    one = Terminal(REPOSITORY, environment)
    yield one
    one.close()


def loses_all(redis: RedisServer, older: Path) -> None:
    redis.kill()
    shutil.rmtree(redis.data_dir)
    redis.start()


def goes_back(redis: RedisServer, older: Path) -> None:
    redis.kill()
    shutil.copyfile(older, redis.data_dir / "appendonly.aof")
    redis.start()


def generations_of(system: System) -> dict[str, int]:
    with Redis.from_url(system.servers.redis.url(), socket_timeout=30) as redis:
        spaces = redis.info("keyspace")
    found: dict[str, int] = {}
    for space in spaces:
        with Redis.from_url(system.servers.redis.url(int(space[2:])), socket_timeout=30) as redis:
            for key in redis.scan_iter(match="*:product-generation"):
                found[key.decode()] = int(redis.get(key) or 0)
    return found


@pytest.mark.parametrize("happens", [loses_all, goes_back])
async def test_the_page_holds_under_load(
    own_system: System,
    terminal: Terminal,
    tmp_path: Path,
    happens: Callable[[RedisServer, Path], None],
) -> None:
    status, verify = (one.text for block in shell_blocks(PAGE) for one in commands(block))
    redis, older = own_system.servers.redis, tmp_path / "older.aof"
    async with Load(own_system, clients=3) as load:
        await load.begin(COMMANDS)
        shutil.copyfile(redis.data_dir / "appendonly.aof", older)
        async with load.going_on(2 * COMMANDS, settled=COMMANDS) as running:
            await asyncio.to_thread(happens, redis, older)
            back_at = time.monotonic()
            if happens is goes_back:
                await eventually(lambda: one_began_again(own_system), 60)
                print("begun again after", round(time.monotonic() - back_at, 1), "s")
        await running
        assert load.wrong == []
        await must_be_consistent(own_system, load.commands, since_position=0, seconds_max=120)
    for command in (status, verify):
        printed, code = await asyncio.to_thread(terminal.type, command, COMMAND_SECONDS_MAX)
        print(printed)
        assert code == 0, printed


async def one_began_again(system: System) -> None:
    assert max((await asyncio.to_thread(generations_of, system)).values(), default=0) == 1
