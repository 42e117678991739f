"""Two PostgreSQL servers, each with one shard: a migrated event store, and what a shard needs beside it."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from command_api.postgres.migrate import migrate_event_store
from deploy.local.ports import free_port
from deploy.local.postgres import PostgresServer
from tests.databases import create_database
from tests.log_tails import LOG_FOLDERS
from tests.run_folder import RunFolder, memory
from tests.servers import POSTGRES_SETTINGS, DatabaseDsns
from tests.sharding.postgres.shards import PostgresShards, prepare_shard
from tests.superuser import close_superuser

# For the comparison with two-phase commit; a server has none by default.
_SETTINGS = {**POSTGRES_SETTINGS, "max_prepared_transactions": "4"}


@pytest.fixture(scope="session")
def second_server(pytestconfig: pytest.Config) -> Iterator[PostgresServer]:
    """Of its own, beside that of all tests."""
    claimed = RunFolder(memory())
    pytestconfig.stash[LOG_FOLDERS].append(claimed.path)
    log_file = claimed.path / "second.log"
    server = PostgresServer(claimed.path / "second", free_port(), log_file, settings=_SETTINGS)
    try:
        server.start()
        yield server
        close_superuser(server)
        server.stop()
    finally:
        claimed.close()


@pytest_asyncio.fixture(scope="session")
async def shard_databases(
    postgres_server: PostgresServer, second_server: PostgresServer, event_store_template: str
) -> tuple[DatabaseDsns, DatabaseDsns]:
    """Shard 0 and shard 1, on a server each."""
    first = create_database(postgres_server, "shard_0", event_store_template)
    second = create_database(second_server, "shard_1", "template1")
    await migrate_event_store(second.owner)
    for shard in (first, second):
        await prepare_shard(shard.owner)
    return first, second


@pytest_asyncio.fixture
async def postgres_shards(
    postgres_server: PostgresServer,
    second_server: PostgresServer,
    shard_databases: tuple[DatabaseDsns, DatabaseDsns],
) -> AsyncIterator[PostgresShards]:
    """Both shards, empty."""
    postgres_server.ensure_running()
    second_server.ensure_running()
    shards = PostgresShards(shard_databases)
    await shards.empty()
    yield shards
    await shards.close()
