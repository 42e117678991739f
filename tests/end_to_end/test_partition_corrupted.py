"""A partition of the topic, and a page of a table, are broken under load; the page about it is typed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_port
from deploy.local.postgres import PostgresServer
from deploy.local.redis import RedisServer
from tests.end_to_end.readers import is_failure
from tests.end_to_end.recovering import READERS, all_is_shown, all_is_well, commands_of, shell_of
from tests.end_to_end.system import PATIENCE_OF_TESTS, Servers, System
from tests.end_to_end.workload import Load
from tests.eventually import eventually
from tests.servers import POSTGRES_SETTINGS
from tests.superuser import close_superuser

pytestmark = [pytest.mark.servers, pytest.mark.prove]
PAGE = "docs/recovery/partition-corrupted.md"
COMMANDS = 100


@pytest.fixture
def own_system(redis_server: RedisServer, tmp_path: Path) -> Iterator[System]:
    """An installation with servers that no other test has."""
    kafka = KafkaServer(tmp_path / "kafka", free_port(), free_port(), tmp_path / "kafka.log")
    postgres = PostgresServer(
        tmp_path / "postgres", free_port(), tmp_path / "postgres.log", settings=POSTGRES_SETTINGS
    )
    system = System(Servers(postgres, redis_server, kafka), tmp_path, PATIENCE_OF_TESTS)
    try:
        kafka.start()
        postgres.start()
        system.start()
        yield system
        system.close()
    finally:
        close_superuser(postgres)
        kafka.stop()
        postgres.stop()


def lose_partition(system: System, partition: int) -> None:
    """All records of it: the broker finds an empty folder, and begins the partition again."""
    kafka = system.servers.kafka
    kafka.stop()
    (folder,) = kafka.data_dir.glob(f"log/{system.prefix}products-events-{partition}")
    for file in folder.glob("0*"):
        file.unlink()
    for file in kafka.data_dir.glob("log/*checkpoint*"):
        file.unlink()
    kafka.start()


async def partition_with_most_records(system: System) -> int:
    """A projection that has read none of a partition does not notice that they are gone."""
    connection = await asyncpg.connect(system.read_model.owner)
    try:
        found: int = await connection.fetchval(
            "SELECT partition FROM views.projection_checkpoint "
            "GROUP BY partition ORDER BY min(next_offset) DESC LIMIT 1"
        )
    finally:
        await connection.close()
    return found


async def damage_first_page(system: System, table: str) -> None:
    """Of one table, while the server is down: its checksum does not fit any more."""
    connection = await asyncpg.connect(system.read_model.owner)
    path = await connection.fetchval("SELECT pg_relation_filepath($1::regclass)", table)
    await connection.close()
    postgres = system.servers.postgres
    await asyncio.to_thread(postgres.stop)
    (file,) = postgres.data_dir.rglob(path)
    with file.open("r+b") as opened:
        opened.seek(100)
        opened.write(b"damaged" * 8)
    await asyncio.to_thread(postgres.start)


async def test_a_partition_of_the_topic_that_lost_its_records_is_filled_again(own_system: System) -> None:
    system = own_system
    remake, reposition, status, verify, *_ = commands_of(PAGE)
    with shell_of(system) as shell:
        async with Load(system, clients=2, readers=READERS) as load:
            await load.begin(COMMANDS)
            await all_is_shown(system, load)
            filled = await partition_with_most_records(system)
            async with load.going_on(COMMANDS, settled=COMMANDS // 3) as running:
                await asyncio.to_thread(lose_partition, system, filled)
                await eventually(lambda: shell.some_are("stopped", status), 120)
                # The relay may have sent a record into the empty partition before it noticed the loss.
                printed, code = await shell.type(remake)
                if code != 0:
                    assert "begins with position" in printed, printed
                    await shell.must_succeed(f"{remake} --delete")
                await shell.must_succeed(reposition)
                await eventually(lambda: shell.all_are("running", status), 120)
            await running
            await all_is_well(system, load)
            assert "difference" not in await shell.must_succeed(verify)
        print(shell.seconds)


async def test_a_view_with_a_damaged_page_is_made_again_from_the_log(own_system: System) -> None:
    system = own_system
    _, _, status, _, rebuild, verify, finish, letters, _ = commands_of(PAGE)
    with shell_of(system) as shell:
        async with Load(system, clients=2, readers=READERS) as load:
            await load.begin(COMMANDS)
            await all_is_shown(system, load)
            with load.readers.excused_if(is_failure):
                await damage_first_page(system, "views.product_view")
                await load.begin(COMMANDS)
                connection = await asyncpg.connect(system.read_model.owner)
                with pytest.raises(asyncpg.DataCorruptedError, match="invalid page in block 0"):
                    await connection.fetch("SELECT * FROM views.product_view")
                await connection.close()
                async with load.going_on(COMMANDS, settled=COMMANDS // 3) as running:
                    await shell.must_succeed(rebuild)
                    await eventually(lambda: shell.all_are("running", status), 120)
            await running
            await all_is_well(system, load)
            assert "difference" not in await shell.must_succeed(verify)
            await shell.must_succeed(finish)
            assert "no matching dead letters" in await shell.must_succeed(letters)
        print(shell.seconds)
