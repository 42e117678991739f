"""Fixtures for tests against real servers; tests/servers.py says where the servers come from.

Databases are copies of one that was migrated once per session, so a test may break its own as it likes.
A fault (`kafka_server.kill()`) is undone before the next test that uses the server's fixture for data.
"""

import itertools
import os
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient
from hypothesis import settings
from redis import Redis

from deploy.local.kafka import KafkaServer
from deploy.local.opensearch import OpenSearchServer
from deploy.local.postgres import PostgresServer
from deploy.local.redis import RedisServer
from deploy.local.settings import ADDRESSES
from tests.databases import DatabaseStock, create_database, drop_database
from tests.distribution import SlowestFirst, slowest_first
from tests.log_tails import LOG_FOLDERS, pytest_runtest_makereport, pytest_runtest_setup
from tests.run_folder import memory
from tests.servers import (
    INSTALLATIONS_REDIS_DATABASE,
    KAFKA,
    OPENSEARCH,
    POSTGRES,
    REDIS,
    DatabaseDsns,
    SessionServers,
)
from tests.ways import way_to_primary, way_to_views

__all__ = ["pytest_runtest_makereport", "pytest_runtest_setup", "way_to_primary", "way_to_views"]

# On a busy machine one example may take any time, and a timed assertion is not a test.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
# An API on a busy machine refuses requests, and so it does while a test blocks the event loop of both. Only
# the tests of overload want that; they set limits of their own.
_NEVER_BUSY = {
    "LOOP_DELAY_SECONDS_MAX": "60",
    "REQUEST_QUEUE_SECONDS_MAX": "60",
    "REQUEST_QUEUE_STANDING_SECONDS_MAX": "60",
}
_SERVERS = pytest.StashKey[SessionServers]()
_numbers = itertools.count(1)
# Those of a module and of the end-to-end installation live longer than a test: no test may empty them.
_redis_databases_of_tests = itertools.cycle(range(10))
_redis_databases_of_modules = itertools.cycle(range(10, INSTALLATIONS_REDIS_DATABASE))


def pytest_configure(config: pytest.Config) -> None:
    """A developer's own servers must never be what a test connects to by default, also in `make shell`; nor
    may a test show a token of theirs.
    """
    for name in (*ADDRESSES, "SEARCH_URL", "CATALOGUE_TOKEN", "TOKEN"):
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    # Without compiled modules each start of a process costs twice the processor time, and so does a worker.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    os.environ.update(_NEVER_BUSY)
    config.stash[LOG_FOLDERS] = []


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SlowestFirst | None:
    """For `--dist loadfile`; other ways of distributing stay as they are."""
    return SlowestFirst(config, log) if config.option.dist == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker; without workers the order is that of the files."""
    if hasattr(config, "workerinput"):
        items[:] = slowest_first(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """All servers that the chosen tests need start at the same time, before the first test runs."""
    if session.config.option.collectonly:
        return
    wanted = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    if wanted & {POSTGRES, REDIS, KAFKA, OPENSEARCH}:
        _servers(session.config).begin(sorted(wanted))


def _servers(config: pytest.Config) -> SessionServers:
    """Made when first asked for."""
    if _SERVERS not in config.stash:
        servers = config.stash[_SERVERS] = SessionServers(memory())
        config.stash[LOG_FOLDERS].append(servers.folder)
    return config.stash[_SERVERS]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started, however the session ended."""
    servers = config.stash.get(_SERVERS, None)
    if servers is not None:
        servers.close()


@pytest.fixture(scope="session", autouse=True)
def _log_folders(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> None:
    pytestconfig.stash[LOG_FOLDERS].append(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> PostgresServer:
    """PostgreSQL with the roles of production; `.dsn(role, database)`, `.run_sql(sql)`, and faults."""
    return pytestconfig.stash[_SERVERS].get(POSTGRES)  # type: ignore[return-value]


@pytest.fixture(scope="session")
def redis_server(pytestconfig: pytest.Config) -> RedisServer:
    """Redis; `.url(number)`, and faults."""
    return pytestconfig.stash[_SERVERS].get(REDIS)  # type: ignore[return-value]


@pytest.fixture(scope="session")
def kafka_server(pytestconfig: pytest.Config) -> KafkaServer:
    """A broker; `.bootstrap_servers`, and faults."""
    return pytestconfig.stash[_SERVERS].get(KAFKA)  # type: ignore[return-value]


@pytest.fixture(scope="session")
def opensearch_server(pytestconfig: pytest.Config) -> OpenSearchServer:
    """OpenSearch, for tests of `make prove`: it takes half a gibibyte; `.url`, and faults."""
    return _servers(pytestconfig).get(OPENSEARCH)  # type: ignore[return-value]


@pytest_asyncio.fixture(scope="session")
async def event_store_template(postgres_server: PostgresServer) -> str:
    """The name of a migrated event store that nobody connects to."""
    from command_api.postgres.migrate import migrate_event_store

    owner = create_database(postgres_server, "event_store_template", "template1").owner
    await migrate_event_store(owner)
    return "event_store_template"


@pytest_asyncio.fixture(scope="session")
async def read_model_template(postgres_server: PostgresServer) -> str:
    """The name of a migrated read model that nobody connects to."""
    from projector.postgres.migrate import migrate_read_model

    owner = create_database(postgres_server, "read_model_template", "template1").owner
    await migrate_read_model(owner)
    return "read_model_template"


@pytest.fixture(scope="session")
def _event_stores(postgres_server: PostgresServer, event_store_template: str) -> Iterator[DatabaseStock]:
    yield from _stock(postgres_server, event_store_template)


@pytest.fixture(scope="session")
def _read_models(postgres_server: PostgresServer, read_model_template: str) -> Iterator[DatabaseStock]:
    yield from _stock(postgres_server, read_model_template)


@pytest.fixture
def event_store_dsns(postgres_server: PostgresServer, _event_stores: DatabaseStock) -> Iterator[DatabaseDsns]:
    """A fresh event store of this test's own: `.owner .writer .log_reader .projector .reader`."""
    yield from _one_of(_event_stores, postgres_server)


@pytest.fixture
def read_model_dsns(postgres_server: PostgresServer, _read_models: DatabaseStock) -> Iterator[DatabaseDsns]:
    """A fresh read model of this test's own: `.owner .writer .log_reader .projector .reader`."""
    yield from _one_of(_read_models, postgres_server)


@pytest.fixture(scope="module")
def read_model_of_module(
    postgres_server: PostgresServer, _read_models: DatabaseStock
) -> Iterator[DatabaseDsns]:
    """A read model shared by the tests of a module. None of them may break the server."""
    yield from _one_of(_read_models, postgres_server)


@pytest.fixture(scope="module")
def event_store_of_module(
    postgres_server: PostgresServer, _event_stores: DatabaseStock
) -> Iterator[DatabaseDsns]:
    """An event store shared by the tests of a module. None of them may break the server."""
    yield from _one_of(_event_stores, postgres_server)


@pytest.fixture
def make_database(postgres_server: PostgresServer) -> Iterator[Callable[[], DatabaseDsns]]:
    """Makes empty databases owned by the migrate role, for tests of migrations themselves."""
    made: list[str] = []

    def make() -> DatabaseDsns:
        dsns = create_database(postgres_server, f"empty_{next(_numbers)}", "template1")
        made.append(dsns.name)
        return dsns

    postgres_server.ensure_running()
    yield make
    postgres_server.ensure_running()
    for name in made:
        drop_database(postgres_server, name)


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """An empty numbered database; numbers rotate, so that a late write of the last test goes elsewhere."""
    return _empty_redis(redis_server, next(_redis_databases_of_tests))


@pytest.fixture(scope="module")
def redis_url_of_module(redis_server: RedisServer) -> str:
    """The same for all tests of a module, which empty it themselves."""
    return _empty_redis(redis_server, next(_redis_databases_of_modules))


@pytest.fixture
def kafka_bootstrap_servers(kafka_server: KafkaServer) -> str:
    """A broker that is up."""
    kafka_server.ensure_running()
    return kafka_server.bootstrap_servers


@pytest_asyncio.fixture
async def kafka_prefix(kafka_server: KafkaServer, kafka_bootstrap_servers: str) -> AsyncIterator[str]:
    """A prefix for this test's topics (KAFKA_TOPIC_PREFIX); topics with it are deleted afterwards."""
    prefix = f"t{uuid.uuid4().hex[:8]}-"
    yield prefix
    kafka_server.ensure_running()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap_servers)
    await admin.start()
    try:
        topics = [topic for topic in await admin.list_topics() if topic.startswith(prefix)]
        if topics:
            await admin.delete_topics(topics)
    finally:
        await admin.close()


def _stock(server: PostgresServer, template: str) -> Iterator[DatabaseStock]:
    stock = DatabaseStock(server, template)
    yield stock
    stock.close()


def _empty_redis(server: RedisServer, database: int) -> str:
    server.ensure_running()
    url = server.url(database)
    with Redis.from_url(url) as client:
        client.flushdb()
    return url


def _one_of(stock: DatabaseStock, server: PostgresServer) -> Iterator[DatabaseDsns]:
    server.ensure_running()
    taken = stock.take()
    yield taken
    server.ensure_running()
    stock.give_back(taken)
