"""A statement is given up because its time is over or its task is cancelled: nobody waits for its connection,
and nobody uses it again.

On uvloop as well as on asyncio, because their transports end in different ways.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import asyncpg
import pytest
import uvloop

from deploy.local.postgres import PostgresServer
from shared.postgres.pool import connect, create_pool
from tests.eventually import eventually
from tests.servers import DatabaseDsns, paused
from tests.tcp_proxy import TcpProxy

pytestmark = [pytest.mark.servers, pytest.mark.parametrize("run", [asyncio.run, uvloop.run])]
Run = Callable[[Coroutine[Any, Any, None]], None]
PATIENCE_SECONDS = 60
FOR_EVER_SECONDS = 3600.0
NAME = "given up"
SLEEP = f"SELECT pg_sleep({FOR_EVER_SECONDS:.0f})"
RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = $1"


@pytest.fixture(autouse=True)
def _waits_are_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a test ends only if nobody waits for the server."""
    monkeypatch.setattr("shared.postgres.pool.CLOSE_SECONDS_MAX", FOR_EVER_SECONDS)


@asynccontextmanager
async def pool_to(dsn: str) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    """One place, so that a lost one shows."""
    pool = await create_pool(
        dsn,
        application_name=NAME,
        size_max=1,
        statement_timeout_seconds=FOR_EVER_SECONDS,
        connect_timeout_seconds=PATIENCE_SECONDS,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield pool
    finally:
        pool.terminate()


def nothing() -> None:
    """No fault."""


async def ask(
    pool: "asyncpg.Pool[asyncpg.Record]",
    *,
    in_transaction: bool,
    begin_fault: Callable[[], None] = nothing,
    seconds_max: float = PATIENCE_SECONDS,
) -> None:
    """One small statement; the server has heard nothing of it before the fault."""
    async with (
        pool.acquire() as connection,
        connection.transaction() if in_transaction else nullcontext(),
    ):
        begin_fault()
        await connection.fetchval("SELECT 1", timeout=seconds_max)


IN_TRANSACTION = pytest.mark.parametrize("in_transaction", [False, True])


@IN_TRANSACTION
def test_no_caller_waits_for_a_network_that_swallows_everything(
    run: Run, in_transaction: bool, postgres_server: PostgresServer, read_model_dsns: DatabaseDsns
) -> None:
    async def main() -> None:
        async with TcpProxy("127.0.0.1", postgres_server.port) as proxy:
            through = read_model_dsns.reader.replace(f":{postgres_server.port}/", f":{proxy.port}/")
            async with pool_to(through) as pool:
                with pytest.raises(TimeoutError):
                    await ask(pool, in_transaction=in_transaction, begin_fault=proxy.stall, seconds_max=0.1)
                assert pool.get_size() == 0
                proxy.flow()
                await ask(pool, in_transaction=in_transaction)

    run(main())


@IN_TRANSACTION
def test_no_caller_waits_for_a_paused_server(
    run: Run, in_transaction: bool, postgres_server: PostgresServer, read_model_dsns: DatabaseDsns
) -> None:
    async def main() -> None:
        async with pool_to(read_model_dsns.reader) as pool:
            pause = postgres_server.pause
            try:
                with pytest.raises(TimeoutError):
                    await ask(pool, in_transaction=in_transaction, begin_fault=pause, seconds_max=0.1)
                assert pool.get_size() == 0
            finally:
                postgres_server.resume()
            await ask(pool, in_transaction=in_transaction)

    run(main())


@IN_TRANSACTION
def test_a_cancelled_task_is_cancelled_and_the_server_ends_its_statement(
    run: Run, in_transaction: bool, read_model_dsns: DatabaseDsns
) -> None:
    async def sleep(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        async with (
            pool.acquire() as connection,
            connection.transaction() if in_transaction else nullcontext(),
        ):
            await connection.fetchval(SLEEP)

    async def main() -> None:
        async with pool_to(read_model_dsns.reader) as pool, pool_to(read_model_dsns.reader) as others:

            async def runs(count: int) -> None:
                assert int(await others.fetchval(RUNNING, SLEEP)) == count

            asking = asyncio.create_task(sleep(pool))
            await eventually(lambda: runs(1))
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert await pool.fetchval("SELECT 1") == 1
            await eventually(lambda: runs(0))

    run(main())


def test_a_paused_server_holds_no_cancelled_task(
    run: Run, postgres_server: PostgresServer, read_model_dsns: DatabaseDsns
) -> None:
    async def main() -> None:
        async with pool_to(read_model_dsns.reader) as pool:
            await pool.fetchval("SELECT 1")
            with paused(postgres_server):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.1), pool.acquire() as connection, connection.transaction():
                        await connection.fetchval("SELECT 1")
                assert pool.get_size() == 0
            await pool.fetchval("SELECT 1")

    run(main())


def test_the_time_out_of_a_connection_alone_ends_it(
    run: Run, postgres_server: PostgresServer, read_model_dsns: DatabaseDsns
) -> None:
    async def main() -> None:
        alone = await connect(read_model_dsns.reader, application_name=NAME)
        lost = asyncio.Event()
        alone.add_termination_listener(lambda _: lost.set())
        postgres_server.pause()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                with pytest.raises(TimeoutError):
                    await alone.fetchval("SELECT 1", timeout=0.1)
                assert alone.is_closed()
                with pytest.raises(asyncpg.InterfaceError, match="closed"):
                    await alone.fetchval("SELECT 1")
                await lost.wait()
                await alone.close()
        finally:
            alone.terminate()
            postgres_server.resume()

    run(main())
