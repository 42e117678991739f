"""Connections that end at any byte, softly or with a reset: whatever the driver raises then is transient.

On uvloop as well as on asyncio, because their transports say different things of a lost connection.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import uvloop

from shared.ops.secret import Secret
from shared.postgres.errors import is_transient
from shared.postgres.pool import create_pool
from shared.redis import errors as redis_errors
from shared.redis.address import RedisAddress
from shared.redis.client import create_redis
from tests.servers import DatabaseDsns
from tests.tcp_proxy import TcpProxy

pytestmark = [pytest.mark.servers, pytest.mark.parametrize("run", [asyncio.run, uvloop.run])]
Run = Callable[[Coroutine[Any, Any, None]], None]
IsTransient = Callable[[BaseException], bool]
# Of an answer of a new connection to PostgreSQL are some 500; a step that is no divisor of anything.
BYTES_MAX, STEP = 900, 7


@contextmanager
def only_transient(is_transient: IsTransient, seen: list[str]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not is_transient(error):
            raise
        seen.append(type(error).__name__)


async def cut_everywhere(
    proxy: TcpProxy, use: Callable[[], Awaitable[object]], is_transient: IsTransient, step: int
) -> list[str]:
    """Use it while every connection ends after so many bytes of answers."""
    seen: list[str] = []
    for softly in (False, True):
        proxy.ends_softly = softly
        for count in range(1, BYTES_MAX, step):
            ending = asyncio.create_task(_again_and_again(proxy, count))
            for _ in range(2):
                with only_transient(is_transient, seen):
                    await use()
            ending.cancel()
            proxy.answer_bytes_left = None
    return seen


async def both(*uses: Awaitable[object]) -> None:
    """To the end of both, so that nothing of one round is left in the next."""
    for outcome in await asyncio.gather(*uses, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


async def _again_and_again(proxy: TcpProxy, count: int) -> None:
    while True:
        if proxy.answer_bytes_left is None:
            proxy.answer_bytes_left = count
        await asyncio.sleep(0)


def test_postgresql_cut_at_any_byte(run: Run, read_model_dsns: DatabaseDsns) -> None:
    async def main() -> None:
        address = urlsplit(read_model_dsns.projector)
        async with TcpProxy(str(address.hostname), address.port or 0) as proxy:
            pool = await create_pool(
                read_model_dsns.projector.replace(f":{address.port}/", f":{proxy.port}/"),
                application_name="cut", size_max=2, statement_timeout_seconds=30, connect_timeout_seconds=30,
            )  # fmt: skip

            async def use() -> None:
                await both(transaction(pool), pool.fetchval("SELECT 1"))

            assert await cut_everywhere(proxy, use, is_transient, STEP)
            await use()
            pool.terminate()

    run(main())


async def transaction(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.fetch("SELECT repeat('x', 50) FROM generate_series(1, 3)")
        await connection.execute("SELECT 1")
        await connection.fetchval("SELECT $1::int", 5)


def test_sessions_that_postgresql_ends_at_any_moment(run: Run, read_model_dsns: DatabaseDsns) -> None:
    async def main() -> None:
        dsn, seen = read_model_dsns.projector, list[str]()
        pool = await create_pool(
            dsn,
            application_name="ended",
            size_max=2,
            statement_timeout_seconds=30,
            connect_timeout_seconds=30,
        )
        ender = await asyncpg.connect(dsn)
        for round_number in range(150):
            ending = asyncio.create_task(
                ender.fetch(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'ended' AND datname = current_database()"
                )
            )
            # A moment that differs from round to round: between no turn of the event loop and many.
            for _ in range(round_number % 60):
                await asyncio.sleep(0)
            for _ in range(3):
                with only_transient(is_transient, seen):
                    await both(transaction(pool), pool.fetchval("SELECT 1"))
            await ending
        await ender.close()
        pool.terminate()
        assert seen

    run(main())


def test_redis_cut_at_any_byte(run: Run, redis_url: str) -> None:
    async def main() -> None:
        address = urlsplit(redis_url)
        async with TcpProxy(str(address.hostname), address.port or 0) as proxy:
            redis = create_redis(
                RedisAddress(Secret(redis_url.replace(f":{address.port}/", f":{proxy.port}/"))),
                socket_timeout_seconds=30, connect_timeout_seconds=30, connections_max=2,
            )  # fmt: skip

            async def use() -> None:
                await redis.set("cut:a", b"x" * 30)
                async with redis.pipeline(transaction=False) as pipeline:
                    for _ in range(3):
                        pipeline.get("cut:a")
                    await pipeline.execute()
                await both(redis.mget(["cut:a", "cut:b"]), redis.incr("cut:n"))

            assert await cut_everywhere(proxy, use, redis_errors.is_transient, STEP)
            # What is idle in the pool may have ended with the last cut.
            with only_transient(redis_errors.is_transient, []):
                await use()
            await use()
            await redis.aclose()

    run(main())


def test_a_connection_to_redis_that_was_reset_says_so_as_redis_py_does(run: Run, redis_url: str) -> None:
    async def main() -> None:
        redis = create_redis(
            RedisAddress(Secret(redis_url)),
            socket_timeout_seconds=30,
            connect_timeout_seconds=30,
            connections_max=1,
        )
        connection: Any = await redis.connection_pool.get_connection()  # type: ignore[no-untyped-call]
        connection._writer.transport.abort()
        for _ in range(10):
            await asyncio.sleep(0)
        with pytest.raises(redis_errors.ConnectionError):
            await ask(connection)
        await redis.connection_pool.release(connection)
        assert await redis.ping()
        await redis.aclose()

    run(main())


async def ask(connection: Any) -> None:
    """asyncio refuses the answer, uvloop the question."""
    await connection.send_packed_command(connection.pack_command("PING"), check_health=False)
    await connection.read_response()
