"""`migrate` and the commands of operators at a PostgreSQL that is away, refuses, or has no such database."""

import asyncio
import os
import secrets
import sys
from collections.abc import Mapping
from typing import NamedTuple

import pytest

from deploy.local.ports import HOST, free_port
from deploy.local.postgres import OWNER, PostgresServer
from shared.postgres.pool import connect
from shared.postgres.sql import load_sql
from tests.silent_server import silent_server
from tests.tcp_proxy import TcpProxy

pytestmark = pytest.mark.servers
PROGRAMS = {"command_api": "EVENT_STORE_MIGRATE_DSN", "projector": "READ_MODEL_MIGRATE_DSN"}
DATABASES = {"command_api": "event store", "projector": "read model"}


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    output: str
    errors: str

    def failed_with_a_line(self) -> str:
        """The one line that says why."""
        assert self.code == 1, self
        assert "Traceback" not in self.errors, self
        (line,) = self.errors.splitlines()
        return line


async def spawn(*arguments: str, **variables: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, env={**os.environ, **variables},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def run(*arguments: str, **variables: str) -> Ended:
    process = await spawn(*arguments, **variables)
    output, errors = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, output.decode(), errors.decode())


@pytest.fixture
def database(postgres_server: PostgresServer) -> str:
    """An empty one."""
    name = f"waited_{secrets.token_hex(6)}"
    postgres_server.run_sql(f"CREATE DATABASE {name} OWNER {OWNER};")
    return name


@pytest.mark.parametrize("program", PROGRAMS)
async def test_it_waits_for_a_server_that_is_not_there_yet(
    postgres_server: PostgresServer, database: str, program: str
) -> None:
    real, port = postgres_server.port, free_port()
    dsn = postgres_server.dsn(OWNER, database).replace(f":{real}/", f":{port}/")
    # No wait would be too long here: the test ends it.
    variables = {PROGRAMS[program]: dsn, "MIGRATE_WAIT_SECONDS_MAX": "3600"}
    process = await spawn(program, "migrate", **variables)
    assert process.stderr is not None
    first = (await process.stderr.readline()).decode()
    assert first.startswith(f"{DATABASES[program]}: waiting up to 3600 s for PostgreSQL: "), first
    async with TcpProxy(HOST, real, listen_port=port):
        output, errors = await process.communicate()
    assert process.returncode == 0, errors
    assert output.decode().startswith(f"{DATABASES[program]}: ")
    assert "waiting" not in errors.decode(), "it is said once"


STOPPED = {
    "command_api": (143, "gave up waiting: AnotherMigrationRuns: another process migrates this database\n"),
    "projector": (143, "stopped by SIGTERM\n"),
}


@pytest.mark.parametrize("program", PROGRAMS)
async def test_it_says_that_it_waits_for_another_migration_and_ends_when_it_is_told_to(
    postgres_server: PostgresServer, database: str, program: str
) -> None:
    dsn = postgres_server.dsn(OWNER, database)
    other = await connect(dsn, application_name="other")
    try:
        assert await other.fetchval(load_sql("shared.postgres", "try_migration_lock"))
        variables = {PROGRAMS[program]: dsn, "MIGRATE_WAIT_SECONDS_MAX": "3600"}
        process = await spawn(program, "migrate", MIGRATE_LOCK_SECONDS_MAX="0.2", **variables)
        assert process.stderr is not None
        assert await process.stderr.readline() == b"waiting for another migration to finish\n"
        assert b"another process migrates this database" in await process.stderr.readline()
        process.terminate()
        _, errors = await process.communicate()
    finally:
        await other.close()
    code, said = STOPPED[program]
    assert process.returncode == code, errors
    assert errors.decode().endswith(said)


@pytest.mark.parametrize("program", PROGRAMS)
async def test_it_gives_up_with_one_line(program: str) -> None:
    dsn = f"postgresql://u:p@{HOST}:{free_port()}/nowhere"
    ended = await run(program, "migrate", **{PROGRAMS[program]: dsn, "MIGRATE_WAIT_SECONDS_MAX": "0"})
    line = ended.failed_with_a_line()
    assert line.startswith(f"migrate: {DATABASES[program]}: gave up waiting: ConnectionRefusedError"), line


@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_server_that_hangs_is_one_that_is_away(program: str) -> None:
    async with silent_server() as (port, _):
        dsn = f"postgresql://u:p@{HOST}:{port}/nowhere"
        ended = await run(program, "migrate", **{PROGRAMS[program]: dsn, "MIGRATE_WAIT_SECONDS_MAX": "0"})
    assert "gave up waiting: TimeoutError" in ended.failed_with_a_line()


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("user", "name", "reason"),
    [
        ("nobody", "postgres", "InvalidPasswordError"),
        (OWNER, "nowhere", 'database "nowhere" does not exist'),
    ],
)
async def test_what_only_an_operator_can_repair_is_not_waited_for(
    postgres_server: PostgresServer, program: str, user: str, name: str, reason: str
) -> None:
    dsn = postgres_server.dsn(user, name)
    ended = await run(program, "migrate", **{PROGRAMS[program]: dsn, "MIGRATE_WAIT_SECONDS_MAX": "3600"})
    assert reason in ended.failed_with_a_line()


@pytest.mark.parametrize("program", PROGRAMS)
async def test_of_several_at_once_one_migrates_and_all_end_well(
    postgres_server: PostgresServer, database: str, program: str
) -> None:
    dsn = postgres_server.dsn(OWNER, database)
    all_of_them = await asyncio.gather(
        *(run(program, "migrate", **{PROGRAMS[program]: dsn}) for _ in range(3))
    )
    assert [one.code for one in all_of_them] == [0, 0, 0], all_of_them
    nothing = f"{DATABASES[program]}: 0 migrations applied\n"
    assert sorted(one.output == nothing for one in all_of_them) == [False, True, True]


COMMANDS = (
    ("projector", "status"),
    ("projector", "verify", "product_view"),
    ("projector", "rebuild", "product_view"),
    ("projector", "dead-letters", "list"),
    ("projector", "pause", "product_view", "--reason", "x"),
    ("projector", "audit"),
    ("command_api", "replay", "--topic", "products-events", "--dry-run"),
)


def _variables(dsn: str) -> Mapping[str, str]:
    nowhere = f"{HOST}:{free_port()}"
    return {
        **dict.fromkeys(("EVENT_STORE_DSN", "EVENT_STORE_READ_DSN", "READ_MODEL_DSN"), dsn),
        "KAFKA_BOOTSTRAP_SERVERS": nowhere,
        "REDIS_URL": f"redis://{nowhere}/0",
    }


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
async def test_no_command_of_an_operator_ends_with_a_traceback(
    postgres_server: PostgresServer, database: str, command: tuple[str, ...]
) -> None:
    """No server, a wrong password, no database, an empty database."""
    given = {
        "ConnectionRefusedError": f"postgresql://u:p@{HOST}:{free_port()}/nowhere",
        "InvalidPasswordError": postgres_server.dsn("nobody", "postgres"),
        "InvalidCatalogNameError": postgres_server.dsn(OWNER, "nowhere"),
        "Error": postgres_server.dsn(OWNER, database),
    }
    ended = await asyncio.gather(*(run(*command, **_variables(dsn)) for dsn in given.values()))
    for reason, one in zip(given, ended, strict=True):
        said = one.output + one.errors
        assert one.code == 1, said
        assert "Traceback" not in said, said
        assert reason in said or "does not exist" in said, said
