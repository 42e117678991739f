"""The event store's data is lost, and restored to the end of its write-ahead log: the log is the same log.

A restore that lost events makes another log of it. One that lost nothing must not: every subscriber would
begin anew.
"""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local.kafka import KafkaServer
from deploy.local.ports import HOST, free_port
from deploy.local.postgres import SUPERUSER, PostgresServer
from deploy.local.redis import RedisServer
from tests.end_to_end.evidence import must_be_consistent, newest_position
from tests.end_to_end.recovering import shell_of
from tests.end_to_end.system import PATIENCE_OF_TESTS, Servers, System
from tests.end_to_end.workload import Load
from tests.eventually import eventually

pytestmark = [pytest.mark.servers, pytest.mark.prove]
COMMANDS = 60
PROGRAM_SECONDS_MAX = 120


@pytest.fixture
def archiving(tmp_path: Path) -> PostgresServer:
    """A server that copies each full segment of its write-ahead log to a folder beside its data."""
    settings: dict[str, str] = {"archive_mode": "on"}
    server = PostgresServer(tmp_path / "postgres", free_port(), tmp_path / "postgres.log", settings=settings)
    server.prepare()
    archive = server.data_dir.with_name("archive")
    archive.mkdir()
    give_to_server(server, archive)
    settings["archive_command"] = f"test ! -f {archive}/%f && cp %p {archive}/%f"
    return server


@pytest.fixture
def own_system(
    archiving: PostgresServer, redis_server: RedisServer, kafka_server: KafkaServer, tmp_path: Path
) -> Iterator[System]:
    """An installation whose PostgreSQL no other test has."""
    system = System(Servers(archiving, redis_server, kafka_server), tmp_path, PATIENCE_OF_TESTS)
    try:
        archiving.start()
        system.start()
        yield system
        system.close()
    finally:
        archiving.stop()


async def test_a_restore_to_the_end_of_the_write_ahead_log_needs_no_new_log_id(
    own_system: System, archiving: PostgresServer
) -> None:
    backup = archiving.data_dir.with_name("backup")
    log_id = await log_id_of(own_system)
    async with Load(own_system, clients=2) as load:
        await load.begin(COMMANDS)
        async with load.going_on(COMMANDS, settled=COMMANDS // 4) as running:
            await asyncio.to_thread(back_up, archiving, backup)
            in_backup = await newest_position(own_system)
            await load.settled(load.settled_count + COMMANDS)
            archiving.run_sql("SELECT pg_switch_wal()")
            await eventually(lambda: some_is_archived(archiving), 60)
            await load.settled(load.settled_count + COMMANDS)
            started = time.monotonic()
            await asyncio.to_thread(archiving.kill)
            await asyncio.to_thread(restore, archiving, backup)
            await asyncio.to_thread(archiving.start)
            await eventually(lambda: is_writable(archiving), 120)
            seconds = time.monotonic() - started
        await running
        assert load.wrong == []
        await must_be_consistent(own_system, load.commands, seconds_max=180)
    assert await newest_position(own_system) > in_backup
    assert await log_id_of(own_system) == log_id
    assert "restored log file" in archiving.log_file.read_text(), "the archive was not needed"
    with shell_of(own_system) as shell:
        assert "difference" not in await shell.must_succeed("python -m projector verify")
    events = await newest_position(own_system)
    print(f"restored in {seconds:.1f} s; {in_backup} events in the backup, {events} now")


def back_up(server: PostgresServer, folder: Path) -> None:
    """A copy of the running server, checked against its manifest: the wheel's pg_verifybackup crashes."""
    address = ["--host", HOST, "--port", str(server.port), "--username", SUPERUSER]
    run_program(
        server,
        "pg_basebackup",
        *address,
        "--pgdata",
        str(folder),
        "--checkpoint=fast",
        "--manifest-checksums=SHA256",
    )
    files = json.loads((folder / "backup_manifest").read_text())["Files"]
    assert len(files) > 100
    for one in files:
        path = folder / one.get("Path", "")
        assert path.stat().st_size == one["Size"], path
        assert hashlib.sha256(path.read_bytes()).hexdigest() == one["Checksum"], path


def restore(server: PostgresServer, backup: Path) -> None:
    """The backup, the archive, and the segments that were not archived yet: their disk outlived the data."""
    lost = server.data_dir.with_name("lost")
    server.data_dir.rename(lost)
    shutil.copytree(backup, server.data_dir, symlinks=True)
    shutil.rmtree(server.data_dir / "pg_wal")
    shutil.copytree(lost / "pg_wal", server.data_dir / "pg_wal")
    shutil.rmtree(lost)
    archive = server.data_dir.with_name("archive")
    for segment in archive.iterdir():  # what is archived has to come from there
        (server.data_dir / "pg_wal" / segment.name).unlink(missing_ok=True)
    (server.data_dir / "recovery.signal").touch()
    with (server.data_dir / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"restore_command = 'cp {archive}/%f %p'\n")
    server.data_dir.chmod(0o700)
    give_to_server(server, server.data_dir)


def run_program(server: PostgresServer, name: str, *arguments: str) -> None:
    """One of PostgreSQL's own programs, from the folder of the server's."""
    program = Path(server.command().argv[0]).with_name(name)
    subprocess.run(
        [str(program), *arguments], check=True, capture_output=True, text=True, timeout=PROGRAM_SECONDS_MAX,
        env={**os.environ, "PGPASSWORD": server.superuser_password()},
    )  # fmt: skip


def give_to_server(server: PostgresServer, folder: Path) -> None:
    identity = server.command().identity
    if identity is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, identity.uid, identity.gid)


def some_is_archived(server: PostgresServer) -> None:
    assert int(server.run_sql("SELECT archived_count FROM pg_stat_archiver")) > 0


def is_writable(server: PostgresServer) -> None:
    assert server.run_sql("SELECT pg_is_in_recovery()").strip() == "f"


async def log_id_of(system: System) -> str:
    connection = await asyncpg.connect(system.event_store.owner)
    try:
        return str(await connection.fetchval("SELECT log_id FROM catalogue.event_log"))
    finally:
        await connection.close()
