"""The server ends a session at the worst moment, which fault tests meet only by chance."""

import asyncio
from typing import Any

import asyncpg
import pytest

from shared.postgres.errors import is_transient
from shared.postgres.pool import create_pool
from tests.end_to_end.system import System
from tests.eventually import eventually

pytestmark = pytest.mark.servers
PATIENCE_SECONDS = 60


async def test_a_connection_lost_before_its_first_use_keeps_no_place_in_the_pool(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = system.event_store.log_reader
    connect = asyncpg.pool.Pool._get_new_connection  # type: ignore[attr-defined]
    losses_left = 2

    async def connect_and_lose(pool: Any) -> Any:
        nonlocal losses_left
        connection = await connect(pool)
        if losses_left:
            losses_left -= 1
            pid = connection.get_server_pid()
            await asyncio.to_thread(system.servers.postgres.run_sql, f"SELECT pg_terminate_backend({pid})")
            await eventually(lambda: must_be_closed(connection))
        return connection

    monkeypatch.setattr(asyncpg.pool.Pool, "_get_new_connection", connect_and_lose)
    pool = await create_pool(
        dsn, application_name="lost", size_max=1, statement_timeout_seconds=5, connect_timeout_seconds=5
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            for _ in range(2):
                with pytest.raises(asyncpg.InterfaceError) as lost:
                    await pool.fetchval("SELECT 1")
                assert is_transient(lost.value)
            assert await pool.fetchval("SELECT 1") == 1
            await pool.close()
    finally:
        pool.terminate()


def must_be_closed(connection: Any) -> None:
    assert connection.is_closed()
