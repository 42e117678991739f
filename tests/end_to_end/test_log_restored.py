"""The event store is destroyed and restored to an earlier point; somebody types the page about it."""

import asyncio
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.local.errors import StartFailed
from deploy.local.kafka import KafkaServer
from deploy.local.ports import HOST, free_port
from deploy.local.postgres import SUPERUSER, PostgresServer
from deploy.local.redis import RedisServer
from tests.documents.console_blocks import commands, shell_blocks
from tests.documents.terminal import Terminal
from tests.end_to_end.evidence import must_be_consistent, newest_position
from tests.end_to_end.system import PATIENCE_OF_TESTS, REPOSITORY, Servers, System
from tests.end_to_end.workload import Load
from tests.eventually import eventually

pytestmark = [pytest.mark.servers, pytest.mark.prove]
PAGE = REPOSITORY / "docs/recovery/log-restored.md"
COMMANDS = 40
COMMAND_SECONDS_MAX = 180.0


@pytest.fixture
def archiving(tmp_path: Path) -> PostgresServer:
    """A server that copies each segment of its write-ahead log to a folder beside its data."""
    settings: dict[str, str] = {"archive_mode": "on", "archive_timeout": "60"}
    server = PostgresServer(tmp_path / "postgres", free_port(), tmp_path / "postgres.log", settings=settings)
    server.prepare()
    archive = server.data_dir.with_name("archive")
    archive.mkdir()
    server.give_away(archive)
    settings["archive_command"] = f"test ! -f {archive}/%f && cp %p {archive}/%f"
    return server


@pytest.fixture
def own_system(
    archiving: PostgresServer, redis_server: RedisServer, kafka_server: KafkaServer, tmp_path: Path
) -> Iterator[System]:
    system = System(Servers(archiving, redis_server, kafka_server), tmp_path, PATIENCE_OF_TESTS)
    try:
        archiving.start()
        system.start()
        yield system
        system.close()
    finally:
        archiving.stop()


@pytest.fixture
def terminal(own_system: System, archiving: PostgresServer) -> Iterator[Terminal]:
    """A shell with the settings of the installation, the programs of PostgreSQL, and our Python first."""
    environment = {
        **os.environ,
        **own_system.environment(),
        "EVENT_STORE_DSN": own_system.event_store.writer,
        "EVENT_STORE_MIGRATE_DSN": own_system.event_store.owner,
        "READ_MODEL_DSN": own_system.read_model.projector,
        "PGHOST": HOST,
        "PGPORT": str(archiving.port),
        "PGUSER": SUPERUSER,
        "PGDATABASE": "postgres",
        "PGPASSWORD": archiving.superuser_password(),
        "PGDATA": str(archiving.data_dir),
        "BACKUP": str(archiving.data_dir.with_name("backup")),
        "PATH": f"{Path(sys.executable).parent}:{archiving.programs}:{os.environ['PATH']}",
    }
    one = Terminal(REPOSITORY, environment)
    yield one
    one.close()


async def test_the_page_brings_back_a_log_that_lost_its_last_events(
    own_system: System, terminal: Terminal, archiving: PostgresServer
) -> None:
    typed = [
        one.text for block in shell_blocks(PAGE) if not block.reason_not_to_run for one in commands(block)
    ]
    backup, point, put_back, renew, remake, rebuild, status, verify = typed
    seconds: dict[str, float] = {}

    async def typing(command: str) -> str:
        started = time.monotonic()
        printed, code = await asyncio.to_thread(terminal.type, command, COMMAND_SECONDS_MAX)
        assert code == 0, f"{command}\n{printed}"
        seconds[command] = round(time.monotonic() - started, 1)
        return printed

    async with Load(own_system, clients=2) as load:
        async with load.going_on(COMMANDS, settled=COMMANDS // 4) as running:
            await typing(backup)
        await running
        await must_be_consistent(own_system, load.commands, since_position=0, seconds_max=120)
    kept = await newest_position(own_system)
    await typing(point)
    async with Load(own_system, clients=2) as lost:
        await lost.begin(COMMANDS)
        await must_be_consistent(own_system, load.commands + lost.commands, since_position=0, seconds_max=120)
    archiving.run_sql("SELECT pg_switch_wal()")
    await eventually(lambda: all_is_archived(archiving), 60)
    for process in own_system.processes:
        await asyncio.to_thread(process.stop)
    archiving.kill()
    shutil.rmtree(archiving.data_dir)
    await typing(put_back)
    archiving.give_away(archiving.data_dir)
    started = time.monotonic()
    archiving.start()
    await eventually(lambda: is_writable(archiving), 120)
    seconds["replaying the write-ahead log"] = round(time.monotonic() - started, 1)
    assert await newest_position(own_system) == kept

    await asyncio.to_thread(forgotten_command_is_noticed, own_system)
    assert f"the log ends at position {kept}" in await typing(renew)
    await typing(remake)
    for process in own_system.processes:
        await asyncio.to_thread(process.start)
    await typing(rebuild)
    await eventually(lambda: all_run(terminal, status), 180)
    async with Load(own_system, clients=2) as after:
        await after.begin(COMMANDS)
        await must_be_consistent(
            own_system, load.commands + after.commands, since_position=0, seconds_max=180
        )
    await typing(verify)
    print(seconds, "events kept", kept)


def all_is_archived(server: PostgresServer) -> None:
    waiting = server.run_sql(
        "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"
    ).strip()
    assert waiting == "0"


def is_writable(server: PostgresServer) -> None:
    assert server.run_sql("SELECT pg_is_in_recovery()").strip() == "f"


def forgotten_command_is_noticed(system: System) -> None:
    """The relay publishes nothing of a log whose future it has published already."""
    begins_at = len(system.relay.log_file.read_text())
    with suppress(StartFailed):  # it is never ready
        system.relay.start()
    deadline = time.monotonic() + 60
    while "the log was restored from a backup" not in system.relay.log_file.read_text()[begins_at:]:
        assert time.monotonic() < deadline, system.relay.log_tail()
        time.sleep(0.5)
    system.relay.stop()


async def all_run(terminal: Terminal, command: str) -> None:
    printed, _ = await asyncio.to_thread(terminal.type, command, COMMAND_SECONDS_MAX)
    found = re.findall(r"^\w+ +(running|waiting|stopped|paused|unknown) ", printed, flags=re.MULTILINE)
    assert found, printed
    assert set(found) == {"running"}, printed
