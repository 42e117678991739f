"""Readers on streaming replicas: a late one is told as late by a token, and an absent one costs no answer."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest
import pytest_asyncio

from deploy.local.ports import free_port
from deploy.local.postgres import READER, SUPERUSER, PostgresServer
from query_api.postgres.bounded_reads import fetch
from query_api.status.postgres.projection_states import age_measurement
from shared.contract.cached_document import unpack
from shared.contract.views import ProductDocument
from shared.ops.metrics.reads import READ_MODEL_AGE_SECONDS
from shared.postgres.pool import create_pool
from tests.eventually import eventually
from tests.integration.query_world import TOPIC, World, installation, product, token_for
from tests.pooler import PgBouncer, pgbouncer_program
from tests.replica import PostgresReplica
from tests.servers import DatabaseDsns
from tests.ways import Way, opened_replicas

pytestmark = pytest.mark.servers
DAY_SECONDS = 86_400
MINUTE_SECONDS = 66


@pytest.fixture(scope="module")
def replicas(postgres_server: PostgresServer) -> Iterator[list[PostgresReplica]]:
    """Two, of which a test pauses and stops what it likes."""
    impatient = {"max_standby_streaming_delay": "100ms"}
    with opened_replicas(postgres_server, impatient) as both:
        yield both


@pytest_asyncio.fixture
async def dsns(read_model_dsns: DatabaseDsns, replicas: list[PostgresReplica]) -> AsyncIterator[DatabaseDsns]:
    """A database that both replicas have; all that a test has done to them is undone."""
    await _has_arrived(read_model_dsns, replicas)
    yield read_model_dsns
    for one in replicas:
        one.ensure_running()
        one.resume_replay()


async def _has_arrived(dsns: DatabaseDsns, replicas: list[PostgresReplica]) -> None:
    """What was written until now is on the replicas."""
    primary = await asyncpg.connect(dsns.owner)
    try:
        written = await primary.fetchval("SELECT pg_current_wal_lsn()::text")
    finally:
        await primary.close()
    for one in replicas:
        one.ensure_running()

        async def replayed(one: PostgresReplica = one) -> None:
            async with _superuser(one) as superuser:
                passed = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn"
                assert await superuser.fetchval(passed, written), "it lags"

        await eventually(replayed)


@asynccontextmanager
async def _superuser(
    server: PostgresReplica, database: str = "postgres"
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(
        host=server.host, port=server.port, user=SUPERUSER, password=server.superuser_password(),
        database=database, ssl=False,
    )  # fmt: skip
    try:
        yield connection
    finally:
        await connection.close()


def _hosts(dsns: DatabaseDsns, *servers: PostgresReplica) -> str:
    """One address of several hosts."""
    login, _, path = dsns.reader.rpartition("@")
    return f"{login}@{','.join(f'{one.host}:{one.port}' for one in servers)}/{path.partition('/')[2]}"


def _reading(dsns: DatabaseDsns, address: str) -> DatabaseDsns:
    return DatabaseDsns(dsns.name, dsns.owner, dsns.writer, dsns.log_reader, dsns.projector, address)


def _at(server: PostgresServer, dsns: DatabaseDsns) -> DatabaseDsns:
    return _reading(dsns, server.dsn(READER, dsns.name))


async def _write(world: World, document: ProductDocument, log_position: int) -> str:
    """As the projector does, in the table and its checkpoint; returns the token of it."""
    await world.store(document, log_position=log_position)
    await world.pass_checkpoint(document.id, log_position)
    return token_for(document.id, log_position)


async def _get(world: World, document: ProductDocument, token: str | None = None) -> httpx.Response:
    headers = {} if token is None else {"consistency-token": token, "prefer": "wait=0"}
    return await world.framework.get(f"/v1/products/{document.id}", headers=headers)


async def test_a_late_replica_answers_a_token_with_503_and_others_with_what_it_has(
    dsns: DatabaseDsns, replicas: list[PostgresReplica], redis_url: str
) -> None:
    late, _ = replicas
    async with installation(_at(late, dsns), redis_url) as own, own.world() as world:
        old = product(version=1, name="old")
        await _write(world, old, 1)
        await _has_arrived(dsns, replicas)
        late.pause_replay()
        token = await _write(world, product(id=old.id, version=2, name="new"), 2)
        refused = await _get(world, old, token)
        assert (refused.status_code, refused.json()["code"]) == (503, "read-model-behind")
        assert int(refused.headers["retry-after"]) > 0
        for path in ("/v1/products", "/v1/products/by-sku/" + old.variants[0].sku):
            answer = await world.framework.get(path, headers={"consistency-token": token, "prefer": "wait=0"})
            assert (answer.status_code, answer.json()["code"]) == (503, "read-model-behind"), path
        assert (await _get(world, old)).json()["name"] == "old"
        late.resume_replay()
        await _has_arrived(dsns, replicas)
        assert (await _get(world, old, token)).json()["name"] == "new"


async def test_what_a_replica_fills_into_the_cache_neither_replaces_a_newer_one_nor_stays(
    dsns: DatabaseDsns, replicas: list[PostgresReplica], redis_url: str
) -> None:
    late, _ = replicas
    async with installation(_at(late, dsns), redis_url) as own, own.world() as world:
        old = product(version=1, name="old")
        other = product()
        await _write(world, old, 1)
        await _write(world, other, 1)
        # Redis has lost nothing for a long time: that alone does not shorten a life.
        await world.cache(other)
        await world.redis.set("catalogue:product-cache:since", 0)
        await _has_arrived(dsns, replicas)
        late.pause_replay()
        new = product(id=old.id, version=2, name="new")
        await _write(world, new, 2)
        # The newer document was evicted, and a reader meets the late replica.
        assert (await _get(world, old)).json()["name"] == "old"
        (key,) = [key async for key in world.redis.scan_iter(f"*{old.id}*")]
        assert 0 < await world.redis.ttl(key) <= MINUTE_SECONDS
        await world.cache(new)
        assert (await _get(world, old)).json()["name"] == "new"
        await world.redis.delete(key)
        await world.cache(new)
        packed = await world.cached(old.id)
        assert packed is not None
        assert unpack(packed).stream_version == 2


async def test_on_the_primary_a_fill_stays_for_its_whole_time(dsns: DatabaseDsns, redis_url: str) -> None:
    async with installation(dsns, redis_url) as own, own.world() as world:
        document = product()
        await _write(world, document, 1)
        await world.cache(product())
        await world.redis.set("catalogue:product-cache:since", 0)
        assert (await _get(world, document)).status_code == 200
        (key,) = [key async for key in world.redis.scan_iter(f"*{document.id}*")]
        assert await world.redis.ttl(key) > DAY_SECONDS / 2


async def test_a_checkpoint_of_one_replica_says_nothing_about_the_rows_of_another(
    postgres_server: PostgresServer,
    dsns: DatabaseDsns,
    replicas: list[PostgresReplica],
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A pooler that balances: the poller meets one replica, the read another one."""
    folder = tmp_path_factory.mktemp("balancing")
    bouncer = PgBouncer(
        folder, free_port(), replicas[0].port, hosts=[one.host for one in replicas],
        program=pgbouncer_program(), settings={"default_pool_size": "6"},
    )  # fmt: skip
    bouncer.start()
    way = Way(postgres_server, bouncer)
    late, _ = replicas
    try:
        async with installation(dsns, redis_url, way) as own, own.world() as world:
            await _has_arrived(dsns, replicas)
            late.pause_replay()
            # So many at the same time open sessions to both; from now on the pooler takes them in turn.
            await asyncio.gather(*(world.api.products.fetch("SELECT pg_sleep(0.3)") for _ in range(6)))
            seen = set()
            for number in range(10):
                document = product(version=1, name=f"product {number}")
                token = await _write(world, document, number + 1)
                await _has_arrived(dsns, replicas[1:])
                by_sku = f"/v1/products/by-sku/{document.variants[0].sku}"
                for path in (f"/v1/products/{document.id}", by_sku, f"/v1/products?ids={document.id}"):
                    answer = await world.framework.get(
                        path, headers={"consistency-token": token, "prefer": "wait=10"}
                    )
                    assert answer.status_code == 200, answer.text
                    assert f"product {number}" in answer.text, "an answer without the write"
                    sql = "SELECT count(*) FROM views.product_view WHERE product_id = $1"
                    seen |= {await world.api.products.fetchval(sql, document.id) for _ in range(2)}
            assert seen == {0, 1}, "both replicas have answered"
    finally:
        late.resume_replay()
        bouncer.stop()


async def test_readers_go_on_when_a_replica_dies_and_it_is_used_again_later(
    dsns: DatabaseDsns, replicas: list[PostgresReplica], redis_url: str
) -> None:
    first, second = replicas
    address = _hosts(dsns, first, second)
    async with installation(_reading(dsns, address), redis_url) as own, own.world() as world:
        documents = [product() for _ in range(30)]
        for document in documents:
            await _write(world, document, 1)
        await _has_arrived(dsns, replicas)
        for number, document in enumerate(documents):
            if number == 10:
                first.kill()
            if number == 20:
                first.ensure_running()
                second.kill()
            assert (await _get(world, document)).status_code == 200, number


@pytest.mark.prove
async def test_without_any_replica_what_is_not_cached_is_503(
    dsns: DatabaseDsns, replicas: list[PostgresReplica], redis_url: str
) -> None:
    address = _hosts(dsns, *replicas)
    async with installation(_reading(dsns, address), redis_url) as own, own.world() as world:
        cached, stored = product(), product()
        await world.cache(cached)
        await _write(world, stored, 1)
        for one in replicas:
            one.kill()
        assert (await _get(world, cached)).status_code == 200
        refused = await _get(world, stored)
        assert (refused.status_code, refused.json()["code"]) == (503, "read-model-unavailable")
        assert int(refused.headers["retry-after"]) > 0
        for one in replicas:
            one.ensure_running()

        async def answers() -> None:
            assert (await _get(world, stored)).status_code == 200

        await eventually(answers)


async def test_a_reader_that_a_replica_cancels_for_the_log_is_answered(
    dsns: DatabaseDsns, replicas: list[PostgresReplica], redis_url: str
) -> None:
    """A conflict with recovery: the log locks the table of a statement that runs on the replica."""
    first = replicas[0]
    pool = await create_pool(
        first.dsn(READER, dsns.name), application_name="cancelled", size_max=1,
        statement_timeout_seconds=300, connect_timeout_seconds=30,
    )  # fmt: skip
    async with pool, installation(dsns, redis_url) as own, own.world() as world:
        old = product(name="old")
        await _write(world, old, 1)
        await _has_arrived(dsns, replicas)
        # It lasts only as long as it sees the old row.
        slow = "SELECT count(pg_sleep(300)) FROM views.product_view WHERE name = 'old'"
        reading = asyncio.create_task(fetch(pool, slow))

        async def runs() -> None:
            async with _superuser(first) as superuser:
                assert await superuser.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE query = $1", slow
                )

        await eventually(runs)
        owner = await asyncpg.connect(dsns.owner)
        async with owner.transaction():
            await owner.execute("LOCK TABLE views.product_view IN ACCESS EXCLUSIVE MODE")
            await owner.execute("UPDATE views.product_view SET name = 'new'")
        await owner.close()
        assert [row["count"] for row in await reading] == [0]

        async def has_counted() -> None:
            async with _superuser(first, dsns.name) as superuser:
                sql = "SELECT confl_lock FROM pg_stat_database_conflicts WHERE datname = current_database()"
                assert await superuser.fetchval(sql) == 1

        await eventually(has_counted)


@pytest.mark.prove
async def test_a_promoted_replica_goes_on_answering(
    postgres_server: PostgresServer, read_model_dsns: DatabaseDsns, redis_url: str
) -> None:
    with opened_replicas(postgres_server, number=1) as (promoted,):
        await _has_arrived(read_model_dsns, [promoted])
        dsns = _at(promoted, read_model_dsns)
        async with installation(dsns, redis_url) as own, own.world() as world:
            documents = [product() for _ in range(3)]
            for document in documents:
                token = await _write(world, document, 1)
            await _has_arrived(read_model_dsns, [promoted])
            assert (await _get(world, documents[0])).status_code == 200
            promoted.promote()
            assert (await _get(world, documents[1])).status_code == 200
            assert (await _get(world, documents[2], token)).status_code == 200


async def test_the_age_of_what_readers_see_grows_while_a_replica_is_late(
    dsns: DatabaseDsns, replicas: list[PostgresReplica], redis_url: str
) -> None:
    late, _ = replicas
    async with installation(_at(late, dsns), redis_url) as own:

        async def report(seconds_ago: int) -> None:
            await own.database.execute(
                "INSERT INTO views.projection_lag (projection, topic, partition, lag_events, lag_seconds,"
                " measured_at, log_position, next_offset) VALUES ('product_view', $1, 0, 0, 0,"
                " clock_timestamp() - make_interval(secs => $2), 0, 0) ON CONFLICT"
                " (projection, topic, partition) DO UPDATE SET measured_at = excluded.measured_at",
                TOPIC, float(seconds_ago),
            )  # fmt: skip

        async def age_seconds() -> float:
            await age_measurement(own.api.products).take()
            return READ_MODEL_AGE_SECONDS._value.get()

        await report(3600)
        await _has_arrived(dsns, replicas)
        assert await age_seconds() >= 3600
        late.pause_replay()
        await report(0)
        assert await age_seconds() >= 3600, "it has not seen the new report"
        late.resume_replay()
        await _has_arrived(dsns, replicas)
        assert await age_seconds() < 3600
