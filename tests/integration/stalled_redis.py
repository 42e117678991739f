"""A query API whose way to Redis a test may stall: it sends, and nothing comes back."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from deploy.local.redis import RedisServer
from tests.integration.query_world import World, installation
from tests.servers import DatabaseDsns
from tests.tcp_proxy import TcpProxy


@asynccontextmanager
async def behind_proxy(
    dsns: DatabaseDsns, redis_url: str, server: RedisServer
) -> AsyncIterator[tuple[World, TcpProxy]]:
    async with TcpProxy("127.0.0.1", server.port) as proxy:
        through = redis_url.replace(f":{server.port}/", f":{proxy.port}/")
        async with installation(dsns, through) as own, own.world() as world:
            yield world, proxy


@contextmanager
def stalled(proxy: TcpProxy) -> Iterator[None]:
    """Until the end of the block."""
    proxy.stall()
    try:
        yield
    finally:
        proxy.flow()
