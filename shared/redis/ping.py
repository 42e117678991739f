"""Whether Redis answers; for readiness, which only tells it: without Redis everything works, but slower."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from shared.redis.address import RedisAddress
from shared.redis.client import create_redis


def redis_check(
    server: RedisAddress, stack: AsyncExitStack, *, seconds_max: float
) -> Callable[[], Awaitable[None]]:
    """A check over one connection of its own, closed with the stack. It raises redis-py's errors."""
    client = create_redis(
        server, socket_timeout_seconds=seconds_max, connect_timeout_seconds=seconds_max, connections_max=1
    )
    stack.push_async_callback(client.aclose)

    async def check() -> None:
        await client.ping()

    return check
