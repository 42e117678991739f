"""Pools, error classes and migrations against a real PostgreSQL, each test in a database of its own."""

import asyncio
import hashlib
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest

from deploy.local.ports import free_port
from deploy.local.postgres import OWNER, READER, PostgresServer
from shared.contract.schemas import Schema
from shared.postgres.errors import ends_by_itself, is_permanent_data_error, is_transient
from shared.postgres.migrations import (
    AnotherMigrationRuns,
    AppliedMigrationChanged,
    MigrationFailed,
    MigrationFilesAreWrong,
    MigrationOutOfOrder,
    migrate,
    read_migrations,
)
from shared.postgres.pool import connect, create_pool
from shared.postgres.schema import SchemaIsOlder, schema_check
from shared.postgres.sql import load_sql
from tests.tcp_proxy import TcpProxy

pytestmark = pytest.mark.servers

Connection = asyncpg.Connection
Pool = asyncpg.Pool


@pytest.fixture
def database(postgres_server: PostgresServer) -> str:
    """The name of an empty database that the migrating role owns."""
    name = f"plumbing_{secrets.token_hex(6)}"
    postgres_server.run_sql(f"CREATE DATABASE {name} OWNER {OWNER};")
    return name


@pytest.fixture
def dsn(postgres_server: PostgresServer, database: str) -> str:
    return postgres_server.dsn(OWNER, database)


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[Connection]:
    opened = await connect(dsn, application_name="test")
    yield opened
    await opened.close()


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    """One connection, so that two acquirers in a row get the same one."""
    opened = await create_pool(
        dsn,
        application_name="test-pool",
        size_max=1,
        statement_timeout_seconds=30,
        connect_timeout_seconds=30,
        lock_timeout_seconds=2,
    )
    yield opened
    await opened.close()


# --- connections ---------------------------------------------------------------------------------


async def test_a_pool_is_made_while_the_server_is_away_and_its_first_use_fails_as_transient() -> None:
    pool = await create_pool(
        f"postgresql://nobody@127.0.0.1:{free_port()}/none",
        application_name="test",
        size_max=2,
        statement_timeout_seconds=1,
        connect_timeout_seconds=5,
    )
    with pytest.raises(OSError, match=r"Connect call failed|refused") as away:
        await pool.fetchval("SELECT 1")
    assert is_transient(away.value)
    await pool.close()


async def test_a_connection_says_whose_it_is_and_limits_its_statements(pool: Pool) -> None:
    assert await pool.fetchval("SHOW application_name") == "test-pool"
    assert await pool.fetchval("SHOW statement_timeout") == "30s"
    assert await pool.fetchval("SHOW idle_in_transaction_session_timeout") == "30s"
    assert await pool.fetchval("SHOW lock_timeout") == "2s"


async def test_a_connection_without_a_limit_has_none_whatever_the_server_has_for_others(
    postgres_server: PostgresServer, database: str, dsn: str
) -> None:
    for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
        postgres_server.run_sql(f"ALTER DATABASE {database} SET {name} = '60s'")
    unlimited = await connect(dsn, application_name="test")
    assert await unlimited.fetchval("SHOW statement_timeout") == "0"
    assert await unlimited.fetchval("SHOW idle_in_transaction_session_timeout") == "0"
    await unlimited.close()


async def test_a_slow_statement_is_ended_by_the_server_and_is_not_tried_again(dsn: str) -> None:
    limited = await connect(dsn, application_name="test", statement_timeout_seconds=0.01)
    with pytest.raises(asyncpg.QueryCanceledError) as ended:
        await limited.execute("SELECT pg_sleep(60)")
    assert not is_transient(ended.value)
    await limited.close()


async def test_a_release_to_the_pool_sends_no_reset_query(pool: Pool) -> None:
    async with pool.acquire() as first:
        await first.execute("SET work_mem = '7MB'")
    async with pool.acquire() as second:
        assert await second.fetchval("SHOW work_mem") == "7MB"


async def test_a_clean_connection_is_free_before_its_release_returns(pool: Pool) -> None:
    session = await pool.fetchval("SELECT pg_backend_pid()")
    connection = await pool.acquire()
    await connection.execute("SELECT 1")
    with pytest.raises(StopIteration):
        pool.release(connection).send(None)  # it waits for nothing
    assert (pool.get_idle_size(), await pool.fetchval("SELECT pg_backend_pid()")) == (1, session)
    await pool.release(connection)
    assert pool.get_idle_size() == 1, "a second release changes nothing"


async def test_after_connections_were_expired_a_released_one_is_not_used_again(pool: Pool) -> None:
    connection = await pool.acquire()
    session = await connection.fetchval("SELECT pg_backend_pid()")
    await pool.expire_connections()
    await pool.release(connection)
    assert await pool.fetchval("SELECT pg_backend_pid()") != session


async def test_a_transaction_that_was_left_open_is_still_rolled_back(pool: Pool) -> None:
    loop, reported = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: reported.append(context["message"]))
    async with pool.acquire() as careless:
        await careless.execute("BEGIN; CREATE TABLE left_over ()")
    loop.set_exception_handler(None)
    assert await pool.fetchval("SELECT to_regclass('left_over')") is None
    assert len(reported) == 1


async def test_both_ends_notice_a_peer_that_vanished(connection: Connection) -> None:
    transport_socket = connection._transport.get_extra_info("socket")
    with socket.socket(fileno=os.dup(transport_socket.fileno())) as duplicate:
        assert duplicate.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert duplicate.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
    assert await connection.fetchval("SHOW tcp_keepalives_idle") == "30"


async def test_a_pool_survives_a_connection_that_the_server_ended(pool: Pool, connection: Connection) -> None:
    backend = await pool.fetchval("SELECT pg_backend_pid()")
    async with pool.acquire() as doomed:
        await connection.execute("SELECT pg_terminate_backend($1, 30000)", backend)
        # Any class: it depends on how much of the farewell has arrived. What matters is how it is classed.
        with pytest.raises(Exception) as ended:  # noqa: PT011
            await doomed.execute("SELECT 1")
    assert is_transient(ended.value)
    assert await pool.fetchval("SELECT pg_backend_pid()") != backend


# --- error classes -------------------------------------------------------------------------------

RAISE = "DO $$ BEGIN RAISE EXCEPTION 'test' USING ERRCODE = '{code}'; END $$"
MISSING_MIGRATION = ("3D000", "3F000", "42501", "42703", "42704", "42883", "42P01")
TRANSIENT = (
    "08000", "08003", "08006", "25006", "28P01", "40001", "40P01", "53000", "53100",
    "53200", "53300", "55P03", "57P01", "57P02", "57P03", "57P05", *MISSING_MIGRATION,
)  # fmt: skip
PERMANENT = ("22001", "22003", "22P02", "22021", "23502", "23503", "23505", "23514")
LOUD = ("42601", "0A000", "57014", "P0001", "XX000")


@pytest.mark.parametrize("code", TRANSIENT + PERMANENT + LOUD)
async def test_each_sqlstate_has_its_class(connection: Connection, code: str) -> None:
    with pytest.raises(asyncpg.PostgresError) as raised:
        await connection.execute(RAISE.format(code=code))
    assert raised.value.sqlstate == code
    assert is_transient(raised.value) is (code in TRANSIENT)
    assert is_permanent_data_error(raised.value) is (code in PERMANENT)


async def test_a_closed_connection_is_transient_but_a_wrong_call_is_a_bug(dsn: str) -> None:
    connection = await connect(dsn, application_name="test")
    with pytest.raises(asyncpg.InterfaceError) as wrong_call:
        await connection.fetch("SELECT 1", "an argument too many")
    await connection.close()
    with pytest.raises(asyncpg.InterfaceError) as closed:
        await connection.fetch("SELECT 1")
    assert (is_transient(wrong_call.value), is_transient(closed.value)) == (False, True)


async def test_a_closed_pool_is_transient(pool: Pool) -> None:
    await pool.close()
    with pytest.raises(asyncpg.InterfaceError) as closed:
        await pool.fetchval("SELECT 1")
    assert is_transient(closed.value)


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionResetError(), OSError(113, "no route")])
def test_a_network_error_is_transient(error: Exception) -> None:
    assert is_transient(error)
    assert not is_permanent_data_error(error)


@pytest.mark.parametrize("error", [ValueError(), asyncio.CancelledError(), KeyError("x")])
def test_an_error_that_is_not_of_the_database_is_neither(error: BaseException) -> None:
    assert not is_transient(error)
    assert not is_permanent_data_error(error)


# --- SQL files -----------------------------------------------------------------------------------


def test_a_missing_sql_file_is_named_with_its_package() -> None:
    with pytest.raises(LookupError, match=r"there is no find_nothing\.sql in the package shared\.postgres"):
        load_sql("shared.postgres", "find_nothing")


@pytest.mark.parametrize("name", ["select_schema_migrations", "insert_schema_migration"])
async def test_the_sql_of_the_migrator_fits_its_own_table(connection: Connection, name: str) -> None:
    await connection.execute(load_sql("shared.postgres", "create_schema_migrations"))
    await connection.prepare(load_sql("shared.postgres", name))


# --- migrations ----------------------------------------------------------------------------------

Files = dict[str, str]
ONE, TWO, THREE = "0001_before_deploy_a.sql", "0002_after_deploy_b.sql", "0003_before_deploy_c.sql"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Files], str]:
    """Writes a package's migrations folder; calling it again replaces the files."""
    name = f"migrated_{secrets.token_hex(6)}"
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = tmp_path / name / "migrations"
    folder.mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()

    def write(files: Files) -> str:
        for old in folder.iterdir():
            old.unlink()
        for file_name, text in files.items():
            (folder / file_name).write_bytes(text.encode())
        return name

    return write


def creates(*tables: str) -> str:
    return "".join(f"CREATE TABLE {table} ();\n" for table in tables)


async def test_pending_files_are_applied_in_order_and_once(
    dsn: str, package: Callable[[Files], str], connection: Connection
) -> None:
    steps: list[str] = []
    files = {TWO: "ALTER TABLE a RENAME TO b", ONE: creates("a"), THREE: creates("c")}
    name = package(files)
    expected = [ONE.removesuffix(".sql"), TWO.removesuffix(".sql"), THREE.removesuffix(".sql")]
    assert await migrate(dsn, name, on_step=steps.append) == expected
    assert steps == [f"applying {step}" for step in expected]
    assert await migrate(dsn, name) == []
    recorded = await connection.fetch("SELECT name, sha256 FROM schema_migrations ORDER BY number")
    assert [row["name"] for row in recorded] == expected
    assert recorded[0]["sha256"] == hashlib.sha256(files[ONE].encode()).hexdigest()


async def test_a_file_that_fails_leaves_no_trace_and_the_ones_before_stay(
    dsn: str, package: Callable[[Files], str], connection: Connection
) -> None:
    name = package({ONE: creates("a"), TWO: creates("b") + "SELECT 1/0;"})
    with pytest.raises(MigrationFailed, match="0002_after_deploy_b: division by zero"):
        await migrate(dsn, name)
    assert await connection.fetchval("SELECT to_regclass('a') IS NOT NULL AND to_regclass('b') IS NULL")
    package({ONE: creates("a"), TWO: creates("b")})
    assert await migrate(dsn, name) == ["0002_after_deploy_b"]


async def test_a_file_may_not_end_its_own_transaction(
    dsn: str, package: Callable[[Files], str], connection: Connection
) -> None:
    name = package({ONE: creates("a") + "COMMIT;"})
    with pytest.raises(MigrationFailed, match="may not COMMIT"):
        await migrate(dsn, name)
    assert await connection.fetchval("SELECT count(*) FROM schema_migrations") == 0


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({ONE: creates("a") + "-- edited"}, r"0001_before_deploy_a\.sql changed after it was applied"),
        ({"0001_before_deploy_z.sql": creates("a")}, "0001 was applied as 0001_before_deploy_a"),
    ],
)
async def test_an_applied_file_that_changed_is_an_error_that_names_it(
    dsn: str, package: Callable[[Files], str], files: Files, message: str
) -> None:
    name = package({ONE: creates("a")})
    await migrate(dsn, name)
    package(files)
    with pytest.raises(AppliedMigrationChanged, match=message):
        await migrate(dsn, name)


async def test_line_ends_do_not_change_a_file(dsn: str, package: Callable[[Files], str]) -> None:
    name = package({ONE: "SELECT 1;\nSELECT 2;\n"})
    await migrate(dsn, name)
    package({ONE: "SELECT 1;\r\nSELECT 2;\r\n"})
    assert await migrate(dsn, name) == []


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([ONE, THREE], r"0003_before_deploy_c\.sql leaves a gap: 0002 is missing"),
        ([TWO], "leaves a gap: 0001 is missing"),
        ([ONE, "0001_after_deploy_b.sql"], r"0001_before_deploy_a\.sql is a duplicate number"),
        (["1_before_deploy_a.sql"], "is not named NNNN_before_deploy"),
        (["0001_a.sql"], "is not named NNNN_before_deploy"),
    ],
)
def test_files_that_form_no_sequence_are_refused(
    package: Callable[[Files], str], names: list[str], message: str
) -> None:
    with pytest.raises(MigrationFilesAreWrong, match=message):
        read_migrations(package(dict.fromkeys(names, "SELECT 1")))


async def test_the_phase_before_leaves_a_removal_for_after_the_deploy(
    dsn: str, package: Callable[[Files], str]
) -> None:
    name = package({ONE: creates("a")})
    await migrate(dsn, name, phase="before")
    package({ONE: creates("a"), TWO: "DROP TABLE a"})
    assert await migrate(dsn, name, phase="before") == []
    assert await migrate(dsn, name, phase="after") == ["0002_after_deploy_b"]


async def test_a_step_of_the_other_phase_is_never_jumped_over(
    dsn: str, package: Callable[[Files], str]
) -> None:
    name = package({ONE: creates("a")})
    await migrate(dsn, name)
    package({ONE: creates("a"), TWO: "DROP TABLE a", THREE: creates("c")})
    with pytest.raises(
        MigrationOutOfOrder, match="0002_after_deploy_b is pending: run the phase 'after' first"
    ):
        await migrate(dsn, name, phase="before")


async def test_a_fresh_database_takes_every_step_before_the_deploy_that_the_code_needs(
    dsn: str, package: Callable[[Files], str]
) -> None:
    last = "0004_after_deploy_d.sql"
    name = package({ONE: creates("a"), TWO: "DROP TABLE a", THREE: creates("c"), last: "DROP TABLE c"})
    assert len(await migrate(dsn, name, phase="before")) == 3


async def test_a_second_migrator_waits_says_so_and_finds_nothing_to_do(
    dsn: str, package: Callable[[Files], str], connection: Connection
) -> None:
    name = package({ONE: creates("a")})
    await migrate(dsn, name)
    waits = asyncio.Event()
    await connection.fetchval(load_sql("shared.postgres", "try_migration_lock"))
    second = asyncio.create_task(migrate(dsn, name, on_step=lambda _: waits.set()))
    await waits.wait()
    assert not second.done()
    await connection.execute("SELECT pg_advisory_unlock_all()")
    assert await second == []


async def test_a_lock_that_stays_taken_is_waited_for_only_so_long(
    dsn: str, package: Callable[[Files], str], connection: Connection
) -> None:
    name = package({ONE: creates("a")})
    await migrate(dsn, name)
    package({ONE: creates("a"), TWO: "DROP TABLE a"})
    async with connection.transaction():
        await connection.execute("SELECT FROM a")
        with pytest.raises(MigrationFailed, match=r"0002_after_deploy_b: .*lock timeout") as failed:
            await migrate(dsn, name, lock_seconds_max=0.01)
    await connection.fetchval(load_sql("shared.postgres", "try_migration_lock"))
    with pytest.raises(AnotherMigrationRuns) as locked:
        await migrate(dsn, name, lock_seconds_max=0.01)
    assert all(ends_by_itself(error.value.__cause__) for error in (failed, locked))


async def test_two_migrators_at_once_apply_each_file_once(dsn: str, package: Callable[[Files], str]) -> None:
    name = package({ONE: creates("a"), TWO: creates("b"), THREE: creates("c")})
    applied = await asyncio.gather(*(migrate(dsn, name) for _ in range(4)))
    assert sorted(len(names) for names in applied) == [0, 0, 0, 3]


async def test_a_service_role_can_tell_which_migrations_are_missing(
    postgres_server: PostgresServer, database: str, dsn: str, package: Callable[[Files], str]
) -> None:
    needed = ("0001_before_deploy_a", "0002_before_deploy_b", "0003_before_deploy_c", "0004_before_deploy_d")
    pool = await create_pool(
        postgres_server.dsn(READER, database),
        application_name="test",
        size_max=1,
        statement_timeout_seconds=5,
        connect_timeout_seconds=5,
    )
    check = schema_check(pool, Schema("read model", "python -m projector migrate", needed))
    with pytest.raises(SchemaIsOlder) as empty:
        await check()
    names = [f"{name}.sql" for name in needed]
    await migrate(dsn, package({names[0]: creates("a"), names[1]: creates("b")}))
    with pytest.raises(SchemaIsOlder) as older:
        await check()
    newer = {name: creates(name[-5]) for name in names} | {"0005_before_deploy_e.sql": creates("e")}
    await migrate(dsn, package(newer))
    await check()
    await pool.close()
    assert str(empty.value) == (
        "the read model lacks 4 of 4 migrations: 0001_before_deploy_a, 0002_before_deploy_b, "
        "0003_before_deploy_c and 1 more; run `python -m projector migrate`"
    )
    assert str(older.value).startswith("the read model lacks 2 of 4 migrations: 0003_before_deploy_c, 0004")


async def test_a_connection_lost_while_it_is_released_frees_its_place(
    postgres_server: PostgresServer, database: str
) -> None:
    async with TcpProxy("127.0.0.1", postgres_server.port) as proxy:
        through = postgres_server.dsn(OWNER, database).replace(f":{postgres_server.port}/", f":{proxy.port}/")
        pool = await create_pool(
            through,
            application_name="test-lost",
            size_max=1,
            statement_timeout_seconds=60,
            connect_timeout_seconds=60,
        )
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)  # asyncpg reports the transaction that was left open
        careless = await pool.acquire()
        await careless.execute("BEGIN")
        proxy.cuts_at_request = True
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            await pool.release(careless)
        loop.set_exception_handler(None)
        assert await pool.fetchval("SELECT 1") == 1
        await pool.close()
