"""The read model is lost under load; somebody types the page about it, and every view is there again."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.databases import create_database, drop_database
from tests.end_to_end.evidence import newest_position
from tests.end_to_end.readers import is_old_without_token
from tests.end_to_end.recovering import (
    MAIL_SETTINGS,
    READERS,
    all_is_shown,
    all_is_well,
    commands_of,
    no_mail_came_twice,
    shell_of,
)
from tests.end_to_end.system import PATIENCE_OF_TESTS, Servers, System
from tests.end_to_end.workload import Load
from tests.eventually import eventually
from tests.mail_server import MailServer, mail_server
from tests.superuser import superuser_of

pytestmark = [pytest.mark.servers, pytest.mark.prove]
PAGE = "docs/recovery/read-model-lost.md"
COMMANDS = 100


@pytest_asyncio.fixture
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture
def own_system(servers: Servers, mails: MailServer, tmp_path: Path) -> Iterator[System]:
    """An installation whose read model no other test has."""
    settings = PATIENCE_OF_TESTS | MAIL_SETTINGS | {"SMTP_URL": mails.url}
    system = System(servers, tmp_path, settings)
    system.start()
    yield system
    system.close()


def lose_it(system: System) -> None:
    """Dropped under those who use it, and an empty one made."""
    drop_database(system.servers.postgres, system.read_model.name)
    create_database(system.servers.postgres, system.read_model.name, "template1")


async def test_the_page_makes_every_view_again_under_load(own_system: System, mails: MailServer) -> None:
    migrate, rebuild, before, reposition, status, verify, finish, _ = commands_of(PAGE)
    with shell_of(own_system) as shell:
        async with Load(own_system, clients=2, readers=READERS) as load:
            await load.begin(COMMANDS)
            await all_is_shown(own_system, load)
            async with load.going_on(COMMANDS, settled=COMMANDS // 3) as running:
                with load.readers.excused_if(is_old_without_token):
                    await asyncio.to_thread(lose_it, own_system)
                    lost_at = time.monotonic()
                    await asyncio.to_thread(own_system.projector.stop)
                    for command in (migrate, rebuild):
                        await shell.must_succeed(command)
                for command in (before, reposition):
                    await shell.must_succeed(command)
                await asyncio.to_thread(own_system.projector.start)
                await eventually(lambda: shell.all_are("running", status), 120)
                whole = time.monotonic() - lost_at
            await running
            await load.begin(COMMANDS)
            await all_is_well(own_system, load)
            assert "difference" not in await shell.must_succeed(verify)
            await shell.must_succeed(finish)
            no_mail_came_twice(mails)
        events = await newest_position(own_system)
        print(f"over after {whole:.0f} s, {events} events: {shell.seconds}")


def copy(system: System, name: str, template: str) -> None:
    """Of a database that is in use; its users come back by themselves."""
    superuser = superuser_of(system.servers.postgres)
    superuser.run(f'ALTER DATABASE "{template}" ALLOW_CONNECTIONS false')
    superuser.run(
        f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{template}'"
    )
    create_database(system.servers.postgres, name, template)
    superuser.run(f'ALTER DATABASE "{template}" ALLOW_CONNECTIONS true')


def restore(system: System, backup: str) -> None:
    drop_database(system.servers.postgres, system.read_model.name)
    create_database(system.servers.postgres, system.read_model.name, backup)


@pytest.mark.parametrize("way", ["as the page says", "rebuilt, too", "only started"])
async def test_a_backup_is_brought_up_to_date_under_load_and_no_mail_comes_twice(
    own_system: System, mails: MailServer, way: str
) -> None:
    migrate, rebuild, _, _, status, verify, finish, reposition = commands_of(PAGE)
    typed = {
        "as the page says": [migrate, reposition],
        "rebuilt, too": [migrate, rebuild, finish, reposition],
        "only started": [],
    }
    backup = f"{own_system.read_model.name}-backup"
    with shell_of(own_system) as shell:
        try:
            async with Load(own_system, clients=2, readers=READERS) as load:
                await load.begin(COMMANDS)
                await all_is_shown(own_system, load)
                async with load.going_on(COMMANDS, settled=COMMANDS // 3) as running:
                    await asyncio.to_thread(copy, own_system, backup, own_system.read_model.name)
                    sent = len(mails.taken)
                    await eventually(lambda: has_sent(mails, sent + 10), 120)
                    await asyncio.to_thread(own_system.projector.stop)
                    await asyncio.to_thread(restore, own_system, backup)
                    for command in typed[way]:
                        await shell.must_succeed(command)
                    await asyncio.to_thread(own_system.projector.start)
                    await eventually(lambda: shell.all_are("running", status), 120)
                await running
                await load.begin(COMMANDS)
                await all_is_well(own_system, load)
                assert "difference" not in await shell.must_succeed(verify)
                if way != "only started":
                    no_mail_came_twice(mails)
        finally:
            drop_database(own_system.servers.postgres, backup)


def has_sent(mails: MailServer, count: int) -> None:
    assert len(mails.taken) >= count
