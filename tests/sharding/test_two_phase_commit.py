"""Why the protocol is no two-phase commit: a prepared append holds the log of its shard."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from shared.postgres.sql import load_sql
from tests.eventually import eventually
from tests.sharding import operations as o
from tests.sharding.postgres.calls import Connection, execute_call
from tests.sharding.postgres.shards import PostgresShards
from tests.sharding.scenarios import B, product_on

pytestmark = pytest.mark.servers
OTHER = product_on(1, 1)


def _creation(key: str, product_id: object) -> o.Append:
    event = o.Event("create", (f"s:{key}",), (), key, key)
    return o.Append(product_id, 0, (event,), key, None, 0)  # type: ignore[arg-type]


@pytest_asyncio.fixture
async def coordinator(postgres_shards: PostgresShards) -> AsyncIterator[Connection]:
    """A connection to shard 1, which allows prepared transactions."""
    connection = await asyncpg.connect(postgres_shards.dsns[1].writer, ssl=False)
    yield connection
    connection.terminate()
    await asyncio.sleep(0)  # the loop closes the transport in its next turn


async def test_a_prepared_append_stops_all_others_even_after_its_coordinator_is_gone(
    postgres_shards: PostgresShards, coordinator: Connection
) -> None:
    transaction = coordinator.transaction()
    await transaction.start()
    await execute_call(coordinator, _creation("prepared", B))
    await coordinator.execute(load_sql("tests.sharding.postgres", "prepare_transaction"))
    await coordinator.close()

    append = asyncio.create_task(postgres_shards.execute(_creation("other", OTHER)))
    try:
        await eventually(lambda: _waits_for_a_lock(postgres_shards), 30)
        assert not append.done()
    finally:
        await _commit(postgres_shards)
    assert isinstance(await append, o.Appended)


async def _waits_for_a_lock(shards: PostgresShards) -> None:
    connection = await asyncpg.connect(shards.dsns[1].writer, ssl=False)
    try:
        waiting = await connection.fetchval(load_sql("tests.sharding.postgres", "count_waiting"))
    finally:
        await connection.close()
    assert waiting == 1


async def _commit(shards: PostgresShards) -> None:
    connection = await asyncpg.connect(shards.dsns[1].writer, ssl=False)
    try:
        await connection.execute(load_sql("tests.sharding.postgres", "commit_prepared"))
    finally:
        await connection.close()
