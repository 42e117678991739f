"""The event store is lost under load and restored, to its end or to a point; somebody types the page."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from deploy.local.errors import StartFailed
from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from deploy.local.process import Process
from deploy.local.redis import RedisServer
from tests.end_to_end.archiving import Archiving, log_id_of
from tests.end_to_end.evidence import must_be_consistent, newest_position
from tests.end_to_end.ledger import Attempt, Command
from tests.end_to_end.recovering import (
    MAIL_SETTINGS,
    READERS,
    Shell,
    all_is_well,
    commands_of,
    no_mail_came_twice,
    shell_of,
)
from tests.end_to_end.system import PATIENCE_OF_TESTS, Servers, System, in_parallel
from tests.end_to_end.workload import Load
from tests.eventually import eventually
from tests.mail_server import MailServer, mail_server

pytestmark = [pytest.mark.servers, pytest.mark.prove]
BACKUP_PAGE, PAGE = "docs/backup.md", "docs/recovery/log-restored.md"
NAMED = "recovery_target_name = 'before_the_import'"
COMMANDS = 60
OUTAGE_SECONDS_MAX = 300.0


@pytest_asyncio.fixture
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture
def archiving(tmp_path: Path) -> Iterator[Archiving]:
    one = Archiving(tmp_path / "postgres")
    one.server.start()
    yield one
    one.drop()


@pytest.fixture
def make_system(
    archiving: Archiving,
    redis_server: RedisServer,
    kafka_server: KafkaServer,
    mails: MailServer,
    tmp_path: Path,
) -> Iterator[Callable[..., System]]:
    made: list[System] = []

    def make(read_model_server: PostgresServer | None = None) -> System:
        settings = PATIENCE_OF_TESTS | MAIL_SETTINGS | {"SMTP_URL": mails.url}
        servers = Servers(archiving.server, redis_server, kafka_server)
        system = System(servers, tmp_path, settings, read_model_server=read_model_server)
        system.start()
        made.append(system)
        return system

    yield make
    for system in made:
        system.close()


@pytest.fixture
def shells(archiving: Archiving) -> Callable[[System], Any]:
    return lambda system: shell_of(system, archiving.environment(), archiving.server.programs)


async def test_a_log_restored_to_its_end_is_the_same_log(
    archiving: Archiving,
    make_system: Callable[..., System],
    shells: Callable[[System], Any],
    mails: MailServer,
) -> None:
    back_up, _ = commands_of(BACKUP_PAGE)
    put_back, from_archive, from_disk, _, is_restored, *_, status, verify, _ = commands_of(PAGE)
    system = make_system()
    log_id = await log_id_of(system)
    with shells(system) as shell:
        async with Load(system, clients=2, readers=READERS) as load:
            load.settled_seconds_max = OUTAGE_SECONDS_MAX
            await load.begin(COMMANDS)
            async with load.going_on(COMMANDS, settled=COMMANDS // 4) as running:
                await shell.must_succeed(back_up)
                archiving.check_backup()
                in_backup = await newest_position(system)
                await load.settled(load.settled_count + COMMANDS)
                archiving.server.run_sql("SELECT pg_switch_wal()")
                await eventually(archiving.some_is_archived, 60)
                await load.settled(load.settled_count + COMMANDS)
                lost_at = time.monotonic()
                await asyncio.to_thread(archiving.lose)
                await asyncio.to_thread(in_parallel, system.processes, stop)
                for command in (put_back, from_archive, from_disk):
                    await shell.must_succeed(command)
                for segment in archiving.archive.iterdir():  # what is archived has to come from there
                    (archiving.server.data_dir / "pg_wal" / segment.name).unlink(missing_ok=True)
                await asyncio.to_thread(archiving.start)
                await eventually(lambda: writable(shell, is_restored), 120)
                await asyncio.to_thread(in_parallel, system.processes, start)
                whole = time.monotonic() - lost_at
            await running
            await all_is_well(system, load)
        await shell.must_succeed(status)
        assert "difference" not in await shell.must_succeed(verify)
        no_mail_came_twice(mails)
        assert await newest_position(system) > in_backup
        assert await log_id_of(system) == log_id
        assert "restored log file" in archiving.server.log_file.read_text(), "the archive was not needed"
        print(f"over after {whole:.0f} s, {in_backup} events in the backup: {shell.seconds}")


@pytest.mark.parametrize("read_model_goes_back_too", [True, False])
async def test_a_log_restored_to_a_point_becomes_another_log(
    archiving: Archiving,
    make_system: Callable[..., System],
    shells: Callable[[System], Any],
    mails: MailServer,
    postgres_server: PostgresServer,
    read_model_goes_back_too: bool,
) -> None:
    """Both databases in one server, or the event store alone. Then the views are ahead of the log."""
    system = make_system(None if read_model_goes_back_too else postgres_server)
    back_up, name_it = commands_of(BACKUP_PAGE)
    put_back, from_archive, from_disk, to_point, is_restored, *rest = commands_of(PAGE)
    renew, remake, rebuild, reposition, status, verify, finish = rest
    log_id = await log_id_of(system)
    with shells(system) as shell:
        client = Client(system)
        await client.write_what_is_kept()
        async with Load(system, clients=2) as kept:
            async with kept.going_on(COMMANDS, settled=COMMANDS // 4) as running:
                await shell.must_succeed(back_up)
            await running
            await must_be_consistent(system, kept.commands + client.commands, seconds_max=120)
        position = await newest_position(system)
        await shell.must_succeed(name_it)
        if not read_model_goes_back_too:
            now = archiving.server.run_sql("SELECT clock_timestamp()").strip()
            to_point = to_point.replace(NAMED, f"recovery_target_time = '{now}'")
            assert NAMED not in to_point
        async with Load(system, clients=2) as lost, lost.going_on(COMMANDS, settled=COMMANDS):
            await client.write_what_is_lost()
            await asyncio.to_thread(archiving.lose)
            lost_at = time.monotonic()
            await asyncio.to_thread(in_parallel, system.processes, stop)
        async with Load(system, clients=2, readers=READERS) as load:
            load.settled_seconds_max = OUTAGE_SECONDS_MAX
            running = load.begin(2 * COMMANDS)  # they ask again and again until the APIs are back
            for command in (put_back, from_archive, from_disk, to_point):
                await shell.must_succeed(command)
            await asyncio.to_thread(archiving.start)
            await eventually(lambda: writable(shell, is_restored), 120)
            assert await newest_position(system) == position
            await forgotten_command_is_noticed(system)
            for command in (renew, remake, rebuild, reposition):
                await shell.must_succeed(command)
            await asyncio.to_thread(in_parallel, system.processes, start)
            await eventually(lambda: shell.all_are("running", status), 120)
            whole = time.monotonic() - lost_at
            await running
            await client.goes_on()
            await load.begin(COMMANDS)
            await all_is_well(system, load, [*kept.commands, *client.commands])
        assert "difference" not in await shell.must_succeed(verify)
        await shell.must_succeed(finish)
        no_mail_came_twice(mails)
        await eventually(lambda: every_new_product_was_told(system, position), 60)
        assert await log_id_of(system) != log_id
        print(f"over after {whole:.0f} s, {position} events kept: {shell.seconds}")


class Client:
    """One who writes before the point and after it, and does not hear that the log went back.

    `commands`: those that the log has.
    """

    def __init__(self, system: System) -> None:
        self.commands: list[Command] = []
        self._system = system
        self._kept_id = self._lost_id = self._lost_token = ""

    async def write_what_is_kept(self) -> None:
        command, answer = await self._send("kept", "create", "POST", "/v1/products", product("kept"))
        self._kept_id = answer.json()["id"]
        self.commands.append(command)

    async def write_what_is_lost(self) -> None:
        """A second version of what is kept, and a product."""
        price = {"amount": "2.00", "currency": "EUR"}
        path = f"/v1/products/{self._kept_id}/variants/kept/price"
        _, answer = await self._send("cheaper", "price", "PUT", path, price, self._kept_id)
        assert answer.headers["etag"] == '"2"'
        _, answer = await self._send("lost", "create", "POST", "/v1/products", product("lost"))
        self._lost_id, self._lost_token = answer.json()["id"], answer.headers["consistency-token"]

    async def goes_on(self) -> None:
        """With what it remembers: nothing lost is shown or overwritten, and its key writes again."""
        assert await self._read(self._lost_id) == 404
        assert await self._read(self._lost_id, self._lost_token) in (404, 503)
        path = f"/v1/products/{self._kept_id}/variants/kept/price"
        async with self._api(self._system.command_url) as api:
            price = {"amount": "3.00", "currency": "EUR"}
            refused = await api.put(path, json=price, headers={"if-match": '"2"'})
        assert (refused.status_code, refused.json()["current_version"]) == (412, 1)
        command, answer = await self._send("lost", "create", "POST", "/v1/products", product("lost"))
        self.commands.append(command)
        assert answer.status_code == 201
        assert answer.json()["id"] != self._lost_id
        assert await self._read(answer.json()["id"], answer.headers["consistency-token"]) == 200

    def _api(self, url: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=url, timeout=30.0)

    async def _read(self, product_id: str, token: str | None = None) -> int:
        headers = {} if token is None else {"consistency-token": token, "prefer": "wait=10"}
        async with self._api(self._system.query_url) as api:
            return (await api.get(f"/v1/products/{product_id}", headers=headers)).status_code

    async def _send(
        self, name: str, kind: str, method: str, path: str, body: Any, product_id: str | None = None
    ) -> tuple[Command, httpx.Response]:
        headers = {"idempotency-key": f"client-{name}", "x-request-id": f"client-{name}.1"}
        started = time.monotonic()
        async with self._api(self._system.command_url) as api:
            answer = await api.request(method, path, json=body, headers=headers)
        assert answer.is_success, answer.text
        version = int(answer.headers["etag"].strip('"'))
        said = Attempt(f"client-{name}.1", "ok", str(answer.status_code), started, time.monotonic(), version)
        return Command(f"client-{name}", kind, product_id or answer.json()["id"], [said]), answer


def product(sku: str) -> dict[str, Any]:
    price = {"amount": "1.00", "currency": "EUR"}
    return {"name": f"Product {sku}", "category": "load/0", "variants": [{"sku": sku, "price": price}]}


def start(process: Process) -> None:
    process.start()


def stop(process: Process) -> None:
    process.stop()


async def writable(shell: Shell, is_restored: str) -> None:
    """For `eventually`."""
    printed, code = await shell.type(is_restored)
    assert (printed.strip(), code) == ("f", 0), printed


async def forgotten_command_is_noticed(system: System) -> None:
    """A relay that is started too early publishes nothing of a log whose lost events it has published."""
    begins_at = len(system.relay.log_file.read_text())

    def says_why() -> None:
        told = system.relay.log_file.read_text()[begins_at:]
        assert "the log was restored from a backup" in told, told

    def start_in_vain() -> None:
        with suppress(StartFailed):  # it is never ready
            system.relay.start()

    starting = asyncio.create_task(asyncio.to_thread(start_in_vain))
    await eventually(lambda: asyncio.to_thread(says_why), 60)
    await asyncio.to_thread(system.relay.stop)
    await starting


async def every_new_product_was_told(system: System, after: int) -> None:
    """For `eventually`: a mail was sent about each creation after that position."""
    sql = (
        "SELECT convert_from(metadata, 'UTF8')::jsonb ->> 'event_id' FROM catalogue.events "
        "WHERE event_type = 'product-created' AND position > $1"
    )
    log = await asyncpg.connect(system.event_store.owner)
    views = await asyncpg.connect(system.read_model.owner)
    try:
        created = {row[0] for row in await log.fetch(sql, after)}
        told = await views.fetch("SELECT event_id FROM views.notification WHERE state = 'sent'")
    finally:
        await log.close()
        await views.close()
    assert created
    assert created <= {str(row["event_id"]) for row in told}
