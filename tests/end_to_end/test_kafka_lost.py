"""Kafka is lost with all its data under load; somebody types the page about it, and nothing is missing."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_port
from deploy.local.postgres import PostgresServer
from deploy.local.redis import RedisServer
from tests.end_to_end.evidence import newest_position
from tests.end_to_end.recovering import (
    MAIL_SETTINGS,
    READERS,
    all_is_shown,
    all_is_well,
    commands_of,
    every_creation_was_told_once,
    shell_of,
)
from tests.end_to_end.system import PATIENCE_OF_TESTS, Servers, System
from tests.end_to_end.workload import Load
from tests.eventually import eventually
from tests.mail_server import MailServer, mail_server

pytestmark = [pytest.mark.servers, pytest.mark.prove]
PAGE = "docs/recovery/kafka-lost.md"
COMMANDS = 100


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
    settings = PATIENCE_OF_TESTS | MAIL_SETTINGS | {"SMTP_URL": mails.url}
    system = System(Servers(postgres_server, redis_server, kafka), tmp_path, settings)
    try:
        kafka.start()
        system.start()
        yield system
        system.close()
    finally:
        kafka.stop()


def lose_all_data(kafka: KafkaServer) -> None:
    kafka.kill()
    shutil.rmtree(kafka.data_dir)
    kafka.start()


async def test_the_page_brings_everything_back_under_load(own_system: System, mails: MailServer) -> None:
    dry, remake, lag, reposition, status, verify = commands_of(PAGE)
    with shell_of(own_system) as shell:
        async with Load(own_system, clients=2, readers=READERS) as load:
            await load.begin(COMMANDS)
            await all_is_shown(own_system, load)
            async with load.going_on(COMMANDS, settled=COMMANDS // 3) as running:
                await asyncio.to_thread(lose_all_data, own_system.servers.kafka)
                lost_at = time.monotonic()
                await eventually(lambda: shell.all_are("stopped", status), 120)
                seen_after = time.monotonic() - lost_at
                await shell.must_succeed(dry)
                await shell.must_succeed(remake)
                await eventually(lambda: shell.relay_has_published(lag), 120)
                await shell.must_succeed(reposition)
                await eventually(lambda: shell.all_are("running", status), 120)
                whole = time.monotonic() - lost_at
            await running
            await load.begin(COMMANDS)
            await all_is_well(own_system, load)
            assert "difference" not in await shell.must_succeed(verify)
            await eventually(lambda: every_creation_was_told_once(own_system, mails), 120)
        events = await newest_position(own_system)
        print(f"seen after {seen_after:.0f} s, over after {whole:.0f} s, {events} events: {shell.seconds}")
