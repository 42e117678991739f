"""Readiness of the four processes: before their schema is there, and while a server is away."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import Path

import asyncpg
import httpx
import pytest

from deploy.local.kafka import KafkaServer
from deploy.local.postgres import OWNER, PostgresServer
from deploy.local.redis import RedisServer
from shared.contract.addresses import state_topic, topics
from shared.contract.schemas import EVENT_STORE, READ_MODEL
from shared.kafka.servers import KafkaServers
from shared.kafka.topics import LATEST_PER_KEY, TopicSpec, ensure_topics
from shared.postgres.migrations import migrate
from tests.eventually import eventually
from tests.integration.query_world import World, product
from tests.integration.query_world import own_world as world
from tests.integration.started_processes import (
    COMMAND_API,
    PROGRAMS,
    PROJECTOR,
    QUERY_API,
    RELAY,
    Installation,
    Program,
    Started,
    started,
)
from tests.servers import DatabaseDsns, dsns_of

__all__ = ["world"]
pytestmark = pytest.mark.servers
MIGRATIONS = {"event store": "command_api.postgres", "read model": "projector.postgres"}
NEEDED = {schema.database: schema.needed for schema in (EVENT_STORE, READ_MODEL)}
NEW_PRODUCT = {
    "name": "Shirt",
    "variants": [{"sku": "S-1", "price": {"amount": "1.00", "currency": "USD"}}],
}


async def _make_topics(servers: str, prefix: str) -> None:
    """As relay and projector have made them before: a projector waits for those of events, and a search index
    is behind without that of states.
    """
    states = TopicSpec(state_topic(prefix), 12, configs=LATEST_PER_KEY)
    await ensure_topics(KafkaServers(servers), [*(TopicSpec(name, 12) for name in topics(prefix)), states])


@pytest.fixture
async def empty(
    postgres_server: PostgresServer, redis_url: str, kafka_bootstrap_servers: str, kafka_prefix: str
) -> Installation:
    """Two databases without any migration."""
    await _make_topics(kafka_bootstrap_servers, kafka_prefix)
    names = [f"unmigrated_{secrets.token_hex(6)}" for _ in range(2)]
    for name in names:
        postgres_server.run_sql(f"CREATE DATABASE {name} OWNER {OWNER};")
    event_store, read_model = (dsns_of(postgres_server, name) for name in names)
    return Installation(event_store, read_model, redis_url, kafka_bootstrap_servers, kafka_prefix)


@pytest.fixture
async def installation(
    event_store_dsns: DatabaseDsns,
    read_model_dsns: DatabaseDsns,
    redis_url: str,
    kafka_bootstrap_servers: str,
    kafka_prefix: str,
) -> Installation:
    await _make_topics(kafka_bootstrap_servers, kafka_prefix)
    return Installation(event_store_dsns, read_model_dsns, redis_url, kafka_bootstrap_servers, kafka_prefix)


@pytest.fixture
def all_but_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """A package with the migrations of another one as they were before the newest that its code needs."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def package(of: str) -> str:
        name = f"older_{secrets.token_hex(6)}"
        folder = tmp_path / name / "migrations"
        folder.mkdir(parents=True)
        files = (file for file in (resources.files(of) / "migrations").iterdir() if file.name.endswith("sql"))
        ordered = sorted(files, key=lambda file: file.name)
        newest = max(at for at, file in enumerate(ordered) if "_before_deploy_" in file.name)
        for file in ordered[:newest]:
            (folder / file.name).write_text(file.read_text())
        return name

    return package


async def _refuses(request: Callable[[], Awaitable[httpx.Response]], code: str) -> None:
    answer = await request()
    assert (answer.status_code, answer.json()["code"]) == (503, code), answer.text
    assert int(answer.headers["retry-after"]) > 0


async def _refuses_its_work(one: Started, program: Program) -> None:
    if program is COMMAND_API:
        await _refuses(lambda: one.api.post("/v1/products", json=NEW_PRODUCT), "store-unavailable")
        batch = await one.api.post("/v1/products:batch", json=[{"op": "create", "product": NEW_PRODUCT}])
        assert [item["problem"]["code"] for item in batch.json()["results"]] == ["store-unavailable"]
    if program is QUERY_API:
        for path in (
            "/v1/products", "/v1/products/by-sku/S-1", "/v1/products/export", "/v1/categories", "/v1/brands",
            "/v1/inventory", "/v1/analytics/changes", "/v1/status",
        ):  # fmt: skip
            await _refuses(lambda path=path: one.api.get(path), "read-model-unavailable")


async def _works(one: Started, program: Program) -> None:
    if program is COMMAND_API:
        assert (await one.api.post("/v1/products", json=NEW_PRODUCT)).status_code == 201
    if program is QUERY_API:
        assert (await one.api.get("/v1/products")).status_code == 200


@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_process_waits_for_its_schema_and_becomes_ready_by_itself(
    empty: Installation, name: str, all_but_the_last: Callable[[str], str]
) -> None:
    program = PROGRAMS[name]
    owners = {"event store": empty.event_store.owner, "read model": empty.read_model.owner}
    async with started(program, empty) as one:
        for database in program.databases:
            needed = NEEDED[database]
            told = f"the {database} lacks {len(needed)} of {len(needed)} migrations: {needed[0]}"
            await one.waits_for(database, told)
        await _refuses_its_work(one, program)
        for database in program.databases:
            await migrate(owners[database], all_but_the_last(MIGRATIONS[database]))
        for database in program.databases:
            await one.waits_for(database, f"the {database} lacks 1 of {len(NEEDED[database])} migrations")
        for database in program.databases:
            await migrate(owners[database], MIGRATIONS[database])
        await one.is_ready(*program.tells)
        for database in program.tells:
            await migrate(owners[database], MIGRATIONS[database])
        await one.is_ready()
        await _works(one, program)


@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_process_runs_on_a_newer_schema(installation: Installation, name: str) -> None:
    for dsn in (installation.event_store.owner, installation.read_model.owner):
        owner = await asyncpg.connect(dsn)
        await owner.execute(
            "INSERT INTO schema_migrations (number, name, sha256) VALUES (9999, '9999_before_deploy_x', '')"
        )
        await owner.close()
    async with started(PROGRAMS[name], installation) as one:
        await one.is_ready()
        await _works(one, PROGRAMS[name])


@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_process_that_starts_while_postgresql_is_away_waits_for_it(
    installation: Installation, name: str, postgres_server: PostgresServer
) -> None:
    program = PROGRAMS[name]
    await asyncio.to_thread(postgres_server.kill)
    async with started(program, installation) as one:
        for database in program.databases:
            await one.waits_for(database, "Connect")
        await _refuses_its_work(one, program)
        await asyncio.to_thread(postgres_server.start)
        await one.is_ready()
        await _works(one, program)


@pytest.mark.parametrize("program", [RELAY, PROJECTOR], ids=["relay", "projector"])
async def test_a_process_that_starts_while_kafka_is_away_waits_for_it(
    installation: Installation, program: Program, kafka_server: KafkaServer
) -> None:
    await asyncio.to_thread(kafka_server.kill)
    check = "publishing" if program is RELAY else "product_view"
    async with started(program, installation) as one:
        await one.waits_for(check, "not connected to Kafka" if program is RELAY else "Kafka: ")
        await asyncio.to_thread(kafka_server.start)
        await one.is_ready()


@pytest.mark.parametrize("program", [QUERY_API, PROJECTOR], ids=["query-api", "projector"])
async def test_a_process_that_starts_while_redis_is_away_is_ready_and_tells_it(
    installation: Installation, program: Program, redis_server: RedisServer
) -> None:
    await asyncio.to_thread(redis_server.kill)
    try:
        async with started(program, installation) as one:
            await one.is_ready("Redis")
            await asyncio.to_thread(redis_server.start)
            await one.is_ready()
    finally:
        redis_server.ensure_running()


@pytest.mark.parametrize("fault", ["kill", "pause"])
async def test_while_postgresql_is_away_a_query_api_stays_ready_and_redis_answers(
    world: World, installation: Installation, postgres_server: PostgresServer, fault: str
) -> None:
    document = product(sku="S-1")
    await world.store(document)
    settings = world.settings
    here = installation._replace(redis_url=settings.redis_url.read(), prefix=settings.redis_key_prefix)
    dsn = settings.read_model_dsn.read()
    pooler = settings.postgres_pooler
    more = {"KAFKA_TOPIC_PREFIX": installation.prefix, "POSTGRES_POOLER": pooler}
    async with started(QUERY_API, here, READ_MODEL_DSN=dsn, **more) as one:
        await one.is_ready()
        warm = await one.api.get(f"/v1/products/{document.id}")
        assert warm.status_code == 200
        await asyncio.to_thread(getattr(postgres_server, fault))
        try:
            await one.is_ready("read model", "event store")
            hit = await one.api.get(f"/v1/products/{document.id}")
            assert (hit.status_code, hit.content) == (200, warm.content)
            assert "hit" in hit.headers["cache-status"]
            for path in ("/v1/products?sort=name", f"/v1/products/{product().id}", "/v1/brands"):
                await _refuses(lambda path=path: one.api.get(path), "read-model-unavailable")
            await one.is_ready("read model", "event store")
        finally:
            await asyncio.to_thread(postgres_server.resume if fault == "pause" else postgres_server.start)
        await one.is_ready()
        assert (await one.api.get("/v1/products?sort=name")).status_code == 200


@pytest.mark.parametrize("fault", ["kill", "pause"])
async def test_while_postgresql_is_away_a_command_api_stays_ready_and_refuses_for_a_while(
    installation: Installation, postgres_server: PostgresServer, fault: str
) -> None:
    async with started(COMMAND_API, installation) as one:
        await one.is_ready()
        await _works(one, COMMAND_API)
        await asyncio.to_thread(getattr(postgres_server, fault))
        try:
            await one.is_ready("event store")
            answer = await one.api.post("/v1/products", json=NEW_PRODUCT)
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) > 0
            await one.is_ready("event store")
        finally:
            await asyncio.to_thread(postgres_server.resume if fault == "pause" else postgres_server.start)
        await one.is_ready()
        other = {**NEW_PRODUCT, "variants": [{**NEW_PRODUCT["variants"][0], "sku": "S-2"}]}  # type: ignore[dict-item]

        async def is_written() -> None:
            assert (await one.api.post("/v1/products", json=other)).status_code in (201, 409)

        await eventually(is_written)
