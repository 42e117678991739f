"""What a connection of a pool needs when its caller is done with it: mostly nothing."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from shared.postgres.pool import create_pool
from tests.servers import DatabaseDsns

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture
async def pool(read_model_dsns: DatabaseDsns) -> AsyncIterator[Any]:
    """With one connection."""
    pool = await create_pool(
        read_model_dsns.projector,
        application_name="release",
        size_max=1,
        statement_timeout_seconds=5,
        connect_timeout_seconds=5,
    )
    yield pool
    await pool.close()


async def _session(pool: Any) -> int:
    found: int = await pool.fetchval("SELECT pg_backend_pid()")
    return found


async def test_a_clean_connection_is_free_before_its_release_returns(pool: Any) -> None:
    session = await _session(pool)
    connection = await pool.acquire()
    await connection.execute("SELECT 1")
    with pytest.raises(StopIteration):
        pool.release(connection).send(None)  # it waits for nothing
    assert (pool.get_idle_size(), await _session(pool)) == (1, session)
    await pool.release(connection)
    assert pool.get_idle_size() == 1, "a second release changes nothing"


async def test_a_transaction_that_was_left_open_is_rolled_back(pool: Any) -> None:
    session = await _session(pool)
    connection = await pool.acquire()
    await connection.execute("BEGIN")
    await connection.execute(
        "INSERT INTO views.projection_checkpoint"
        " (projection, topic, partition, next_offset, log_position, log_id)"
        " VALUES ('left-open', 't', 0, 1, 1, gen_random_uuid())"
    )
    await pool.release(connection)
    assert await _session(pool) == session
    left = "SELECT count(*) FROM views.projection_checkpoint WHERE projection = 'left-open'"
    assert await pool.fetchval(left) == 0


async def test_after_connections_were_expired_a_released_one_is_not_used_again(pool: Any) -> None:
    connection = await pool.acquire()
    session = await connection.fetchval("SELECT pg_backend_pid()")
    await pool.expire_connections()
    await pool.release(connection)
    assert await _session(pool) != session
