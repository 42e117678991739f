"""Behind PgBouncer: what a process refuses to work with, and says; what it does while the pooler is away."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from command_api.executing.ports import Appended, StoreUnavailable
from command_api.relay.ports import OperatorNeeded
from command_api.replay.postgres.replay_log import PostgresReplayLog, ReplayLimits
from command_api.settings import CommandSettings
from deploy.local.ports import free_port
from deploy.local.postgres import PostgresServer
from query_api.errors import ReadModelUnavailable
from query_api.postgres.bounded_reads import BoundedReads
from shared.ops.secret import Secret
from shared.postgres.pool import create_pool
from shared.postgres.pooler_settings import Pooler
from shared.postgres.session_check import CUSTOM_PLANS, WrongWay, direct_check, session_check
from tests.eventually import eventually
from tests.integration.event_store_world import open_store
from tests.integration.projector_world import World, world
from tests.integration.query_world import installation, product, token_for
from tests.integration.relay_world import get
from tests.pooler import PgBouncer, pgbouncer_program, version
from tests.servers import DatabaseDsns
from tests.unit.execute.appends import at, change, creation
from tests.ways import Way

__all__ = ["world"]
pytestmark = pytest.mark.servers
Start = Callable[..., PgBouncer]
REPLAY_LIMITS = ReplayLimits(1_000_000, 1000, 30.0)
OURS = "statement_timeout,idle_in_transaction_session_timeout,lock_timeout,plan_cache_mode"
KEEPALIVE = "tcp_keepalives_idle,tcp_keepalives_interval,tcp_keepalives_count"


@pytest.fixture
def start(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Start]:
    """Starts poolers, of which each stops after the test."""
    with ExitStack() as stack:

        def begin(program: str = "PGBOUNCER", settings: Mapping[str, str] | None = None) -> PgBouncer:
            bouncer = PgBouncer(
                tmp_path / f"pooler-{free_port()}", free_port(), postgres_server.port,
                program=pgbouncer_program(program), settings=settings,
            )  # fmt: skip
            stack.callback(bouncer.stop)
            bouncer.start()
            return bouncer

        yield begin


@asynccontextmanager
async def _pool(dsn: str, pooler: Pooler, size_max: int = 2) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    pool = await create_pool(
        dsn, application_name="pooled", size_max=size_max, statement_timeout_seconds=30,
        connect_timeout_seconds=30, pooler=pooler,
    )  # fmt: skip
    try:
        yield pool
    finally:
        await pool.close()


async def _refusal(dsn: str, pooler: Pooler) -> str:
    async with _pool(dsn, pooler) as pool:
        with pytest.raises(WrongWay) as wrong:
            await session_check(pool, pooler, CUSTOM_PLANS)()
    return str(wrong.value)


async def test_a_pooler_with_roles_that_have_limits_is_accepted(
    read_model_dsns: DatabaseDsns, postgres_server: PostgresServer, start: Start
) -> None:
    bouncer = start()
    assert version(pgbouncer_program()) >= (1, 21), "this PGBOUNCER cannot track prepared statements"
    Way(postgres_server, bouncer).prepare(read_model_dsns.name)
    async with _pool(bouncer.through(read_model_dsns.reader), "transaction") as pool:
        await session_check(pool, "transaction", CUSTOM_PLANS)()


async def test_a_role_without_limits_is_refused_with_the_line_that_mends_it(
    read_model_dsns: DatabaseDsns, postgres_server: PostgresServer, start: Start
) -> None:
    bouncer = start()
    dsn, owner = bouncer.through(read_model_dsns.reader), postgres_server
    for missing in ("statement_timeout", "idle_in_transaction_session_timeout", "plan_cache_mode"):
        told = await _refusal(dsn, "transaction")
        found = re.search(r"ALTER ROLE catalogue_reader SET (\w+) = (\S+),", told)
        assert found is not None, told
        assert found[1] == missing
        owner.run_sql(
            f'ALTER ROLE catalogue_reader IN DATABASE "{read_model_dsns.name}" SET {found[1]} = {found[2]}'
        )
        # Its sessions keep what they began with: the line says RECONNECT.
        bouncer.restart()
    async with _pool(dsn, "transaction") as pool:
        await session_check(pool, "transaction", CUSTOM_PLANS)()


@pytest.mark.parametrize("ignored", ["", f"{OURS},{KEEPALIVE}"])
async def test_a_pooler_that_nobody_expects_is_refused(
    read_model_dsns: DatabaseDsns, start: Start, ignored: str
) -> None:
    """Also if it takes our start-up settings, and ignores them."""
    bouncer = start(settings={"ignore_startup_parameters": ignored} if ignored else {})
    told = await _refusal(bouncer.through(read_model_dsns.reader), "none")
    assert "set POSTGRES_POOLER=transaction" in told


async def test_a_missing_pooler_is_told(read_model_dsns: DatabaseDsns) -> None:
    told = await _refusal(read_model_dsns.reader, "transaction")
    assert told.endswith("the address leads to PostgreSQL itself: set it to none")


@pytest.mark.parametrize(
    ("program", "settings", "remedy"),
    [
        ("PGBOUNCER", {"max_prepared_statements": "0"}, "max_prepared_statements above 0"),
        ("PGBOUNCER", {"pool_mode": "statement"}, "set its pool_mode to transaction"),
        ("PGBOUNCER_OLD", {}, "PgBouncer 1.21 or newer"),
    ],
)
async def test_a_pooler_that_would_break_statements_is_refused(
    read_model_dsns: DatabaseDsns, start: Start, program: str, settings: dict[str, str], remedy: str
) -> None:
    bouncer = start(program, settings)
    assert remedy in await _refusal(bouncer.through(read_model_dsns.reader), "transaction")


async def test_the_direct_address_must_be_direct(event_store_dsns: DatabaseDsns, start: Start) -> None:
    with pytest.raises(ValueError, match="EVENT_STORE_DIRECT_DSN"):
        CommandSettings(_env_file=None, postgres_pooler="transaction")  # type: ignore[call-arg]
    await direct_check(event_store_dsns.writer, "EVENT_STORE_DIRECT_DSN")()
    for settings in ({}, {"ignore_startup_parameters": f"{OURS},{KEEPALIVE}"}):
        bouncer = start(settings=settings)
        with pytest.raises(WrongWay, match="EVENT_STORE_DIRECT_DSN leads to a pooler"):
            await direct_check(bouncer.through(event_store_dsns.writer), "EVENT_STORE_DIRECT_DSN")()


@pytest.mark.parametrize("ignored", ["", f"{OURS},{KEEPALIVE}"])
async def test_a_replay_behind_a_pooler_is_refused(
    event_store_dsns: DatabaseDsns, start: Start, ignored: str
) -> None:
    bouncer = start(settings={"ignore_startup_parameters": ignored} if ignored else {})
    with pytest.raises(OperatorNeeded, match="EVENT_STORE_READ_DSN leads to a pooler: give the address"):
        await PostgresReplayLog.open(bouncer.through(event_store_dsns.log_reader), REPLAY_LIMITS)
    await (await PostgresReplayLog.open(event_store_dsns.log_reader, REPLAY_LIMITS)).close()


@pytest.mark.parametrize("setting", ["read_model_dsn", "event_store_read_dsn"])
async def test_a_projector_behind_a_pooler_is_not_ready_and_says_which_address_to_change(
    world: World, start: Start, setting: str
) -> None:
    bouncer = start(settings={"ignore_startup_parameters": f"{OURS},{KEEPALIVE}"})
    through = Secret(bouncer.through(getattr(world.settings, setting).read()))

    async def refused() -> None:
        answer = await get(world.settings.projector_ops_port, "/readyz")
        assert answer.status == 503
        assert f"{setting.upper()} leads to a pooler: give the address of PostgreSQL itself" in answer.text

    async with world.projecting("product_view", wait=False, **{setting: through}):
        await eventually(refused)


async def test_reads_are_answered_behind_a_pooler_by_fewer_sessions(
    read_model_dsns: DatabaseDsns, redis_url: str, postgres_server: PostgresServer, start: Start
) -> None:
    """A small part of the read suite, which `make prove` runs behind a pooler as a whole."""
    way = Way(postgres_server, start())
    patience = {
        "table_wait_seconds_max": 60,
        "table_seconds_max": 60,
        "table_connect_seconds_max": 60,
        "wait_seconds_default": 60,
    }
    async with installation(read_model_dsns, redis_url, way, **patience) as own, own.world() as world:
        documents = [product(name=f"product {number}", brand="b") for number in range(30)]
        for document in documents:
            await world.store(document, log_position=1)
            await world.pass_checkpoint(document.id, 1)
        paths = [
            *(f"/v1/products/{one.id}" for one in documents),
            *(f"/v1/products/by-sku/{one.variants[0].sku}" for one in documents),
            *(f"/v1/products?sort=name&limit={limit}" for limit in range(1, 9)),
        ]
        reports = [f"/v1/categories?limit={limit}" for limit in range(1, 9)]
        with_token = {"consistency-token": token_for(documents[0].id, 1)}
        answers = await asyncio.gather(
            *(world.framework.get(path, headers=headers) for path in paths for headers in ({}, with_token)),
            *map(world.framework.get, reports),
        )
        assert [answer.status_code for answer in answers] == [200] * len(answers)


async def test_reads_are_503_while_the_pooler_is_dead_and_go_on_when_it_is_back(
    read_model_dsns: DatabaseDsns, redis_url: str, postgres_server: PostgresServer, start: Start
) -> None:
    bouncer = start()
    way = Way(postgres_server, bouncer)
    async with installation(read_model_dsns, redis_url, way) as own, own.world() as world:
        documents = [product() for _ in range(200)]
        for document in documents:
            await world.store(document)
        statuses: list[int] = []

        async def read(some: list[object]) -> None:
            for document in some:
                answer = await world.framework.get(f"/v1/products/{document.id}")  # type: ignore[attr-defined]
                statuses.append(answer.status_code)

        load = asyncio.gather(*(read(documents[start::8]) for start in range(8)))

        async def some_are_answered() -> None:
            assert 200 in statuses

        await eventually(some_are_answered)
        await asyncio.to_thread(bouncer.kill)
        await load
        assert set(statuses) == {200, 503}
        bouncer.start()

        async def all_are_answered() -> None:
            for document in documents[-20:]:
                assert (await world.framework.get(f"/v1/products/{document.id}")).status_code == 200

        await eventually(all_are_answered)


async def test_commands_lose_nothing_when_the_pooler_dies(
    event_store_dsns: DatabaseDsns, postgres_server: PostgresServer, start: Start
) -> None:
    """Appends have a connection of their own; what goes through the pooler is unavailable."""
    bouncer = start()
    way = Way(postgres_server, bouncer)
    store = await open_store(event_store_dsns.writer, way=way)
    first = creation("first")
    assert await store.append(first) == Appended(1, 1)
    assert (await store.load(first.product_id)).stream_version == 1
    bouncer.kill()
    with pytest.raises(StoreUnavailable):
        await store.load(first.product_id)
    assert await store.append(change(first.product_id, at(1, 1))) == Appended(2, 2)
    bouncer.start()

    async def loads() -> None:
        try:
            assert (await store.load(first.product_id)).stream_version == 2
        except StoreUnavailable as error:
            raise AssertionError("not yet") from error

    await eventually(loads)
    await store.close()


async def test_a_statement_that_is_too_slow_is_ended_on_the_server_behind_a_pooler(
    read_model_dsns: DatabaseDsns, postgres_server: PostgresServer, start: Start
) -> None:
    """By the limit of the role; and the session that has run it goes on to serve others."""
    bouncer = start(settings={"default_pool_size": "1"})
    Way(postgres_server, bouncer).prepare(read_model_dsns.name)
    async with _pool(bouncer.through(read_model_dsns.reader), "transaction") as pool:
        reads = BoundedReads(
            pool, name="products", reads_max=2, waiting_max=2, wait_seconds_max=60, pooler="transaction"
        )
        with pytest.raises(ReadModelUnavailable, match="statement timeout"):
            await reads.fetch("SELECT pg_sleep(300)")
        assert await reads.fetchrow("SELECT 1") is not None


async def test_a_caller_that_gives_up_cancels_its_statement_through_the_pooler(
    read_model_dsns: DatabaseDsns, postgres_server: PostgresServer, start: Start
) -> None:
    bouncer = start(settings={"default_pool_size": "1"})
    async with _pool(bouncer.through(read_model_dsns.reader), "transaction") as pool:
        slow = asyncio.create_task(pool.fetch("SELECT pg_sleep(301)"))

        async def sleepers(number: int) -> None:
            active = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
            sql = f"{active} AND query = 'SELECT pg_sleep(301)'"
            assert int(await asyncio.to_thread(postgres_server.run_sql, sql)) == number

        await eventually(lambda: sleepers(1))
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)
        await eventually(lambda: sleepers(0))
        assert await pool.fetchval("SELECT 1") == 1
