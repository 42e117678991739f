"""Kafka is lost with all its data under load; somebody types the page about it, and nothing is missing."""

import asyncio
import os
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_port
from deploy.local.postgres import PostgresServer
from deploy.local.redis import RedisServer
from tests.documents.console_blocks import commands, shell_blocks
from tests.documents.terminal import Terminal
from tests.end_to_end.evidence import must_be_consistent, newest_position
from tests.end_to_end.system import PATIENCE_OF_TESTS, REPOSITORY, Servers, System
from tests.end_to_end.workload import Load
from tests.eventually import eventually
from tests.mail_server import MailServer, mail_server

pytestmark = [pytest.mark.servers, pytest.mark.prove]
PAGE = REPOSITORY / "docs/recovery/kafka-lost.md"
COMMANDS = 150
COMMAND_SECONDS_MAX = 120.0


@pytest_asyncio.fixture
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture
def own_system(
    postgres_server: PostgresServer, redis_server: RedisServer, mails: MailServer, tmp_path: Path
) -> Iterator[System]:
    """An installation with a broker that no other test has."""
    kafka = KafkaServer(tmp_path / "kafka", free_port(), free_port(), tmp_path / "kafka.log")
    settings = {
        "SMTP_URL": mails.url,
        "NOTIFICATION_RECIPIENTS": "ann@x.test",
        "NOTIFICATION_SINGLE_MAILS_MAX": "10000",
    }
    system = System(Servers(postgres_server, redis_server, kafka), tmp_path, PATIENCE_OF_TESTS | settings)
    try:
        kafka.start()
        system.start()
        yield system
        system.close()
    finally:
        kafka.stop()


@pytest.fixture
def terminal(own_system: System) -> Iterator[Terminal]:
    """A shell with the settings of the installation, and our Python first."""
    environment = {
        **os.environ,
        **own_system.environment(),
        "EVENT_STORE_DSN": own_system.event_store.writer,
        "READ_MODEL_DSN": own_system.read_model.projector,
        "RELAY_OPS_PORT": str(own_system.relay.ops_port),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    one = Terminal(REPOSITORY, environment)
    yield one
    one.close()


def lose_all_data(kafka: KafkaServer) -> None:
    kafka.kill()
    shutil.rmtree(kafka.data_dir)
    kafka.start()


async def test_the_page_brings_everything_back_under_load(
    own_system: System, terminal: Terminal, mails: MailServer
) -> None:
    typed = [one.text for block in shell_blocks(PAGE) for one in commands(block)]
    dry, remake, lag, reposition, status, verify = typed
    async with Load(own_system, clients=3) as load:
        load.read_wait_seconds = None
        await load.begin(COMMANDS)
        since = 0
        async with load.going_on(COMMANDS, settled=COMMANDS // 3) as running:
            await asyncio.to_thread(lose_all_data, own_system.servers.kafka)
            lost_at = time.monotonic()
            await eventually(lambda: all_are_stopped(terminal, status), 120)
            seconds: dict[str, float] = {"seen after": time.monotonic() - lost_at}
            for command in (dry, remake):
                seconds[command] = await must_succeed(terminal, command)
            await eventually(lambda: relay_has_published(terminal, lag), 120)
            seconds[reposition] = await must_succeed(terminal, reposition)
            await eventually(lambda: all_run(terminal, status), 120)
            seconds["all"] = time.monotonic() - lost_at
        await running
        await load.begin(COMMANDS)
        assert load.wrong == []
        await must_be_consistent(own_system, load.commands, since_position=since, seconds_max=120)
        print({name: round(took, 1) for name, took in seconds.items()}, await newest_position(own_system))
        seconds[verify] = await must_succeed(terminal, verify)
        await eventually(lambda: every_creation_was_told_once(own_system, mails), 120)


async def must_succeed(terminal: Terminal, command: str) -> float:
    started = time.monotonic()
    printed, code = await asyncio.to_thread(terminal.type, command, COMMAND_SECONDS_MAX)
    print(printed)
    assert code == 0, f"{command}\n{printed}"
    return time.monotonic() - started


async def states(terminal: Terminal, command: str) -> dict[str, str]:
    printed, _ = await asyncio.to_thread(terminal.type, command, COMMAND_SECONDS_MAX)
    rows = re.findall(r"^(\w+) +(running|waiting|stopped|paused|unknown) ", printed, flags=re.MULTILINE)
    assert len(rows) == 7, printed
    return dict(rows)


async def all_are_stopped(terminal: Terminal, command: str) -> None:
    found = await states(terminal, command)
    assert set(found.values()) == {"stopped"}, found


async def all_run(terminal: Terminal, command: str) -> None:
    found = await states(terminal, command)
    assert set(found.values()) == {"running"}, found


async def relay_has_published(terminal: Terminal, command: str) -> None:
    """Almost: clients go on writing."""
    printed, _ = await asyncio.to_thread(terminal.type, command, COMMAND_SECONDS_MAX)
    lag = re.search(r"^relay_lag_events (\d+)", printed, flags=re.MULTILINE)
    assert lag is not None, printed
    assert int(lag[1]) < 100, printed


async def every_creation_was_told_once(system: System, mails: MailServer) -> None:
    ids = Counter(str(mail.message["Message-ID"]) for mail in mails.taken)
    assert max(ids.values()) == 1, [one for one, count in ids.items() if count > 1]
    created = await count_of_creations(system)
    told = sum(subject.startswith("New product") for subject in mails.subjects())
    assert told == created


async def count_of_creations(system: System) -> int:
    connection = await asyncpg.connect(system.event_store.owner)
    try:
        sql = "SELECT count(*) FROM catalogue.events WHERE event_type = 'product-created'"
        return int(await connection.fetchval(sql))
    finally:
        await connection.close()
