"""A Redis client for a query path: a dead Redis may cost a request one short time-out, never a minute.

redis-py's defaults (10 retries with back-off, 5 s time-outs) hold one request for about a minute when Redis
accepts and never answers. Here: one retry, because a pooled connection may have been closed by a restart, and
time-outs of the caller's choice (50 to 250 ms suit a cache). The rest is the circuit breaker's job
(`shared.ops.breaker`).
"""

from typing import Any

from redis.asyncio import BlockingConnectionPool, Connection, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError  # noqa: A004 - redis-py's own, not the built-in
from redis.maint_notifications import MaintNotificationsConfig

from shared.ops.closed_transport import is_closed_transport

_RETRIES = 1
_BACKOFF_SECONDS_INITIAL = 0.005
_BACKOFF_SECONDS_MAX = 0.025


class _Connection(Connection):
    """Fails like any broken connection where uvloop refuses a write, so that redis-py makes a new one."""

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Raises redis-py's errors alone."""
        try:
            await super().send_packed_command(command, check_health)
        except RuntimeError as error:
            if not is_closed_transport(error):
                raise
            raise ConnectionError(str(error)) from error


def create_redis(
    url: str, *, socket_timeout_seconds: float, connect_timeout_seconds: float, connections_max: int
) -> Redis:
    """A client over a bounded pool; connects when first used, answers bytes. Close it with `await
    client.aclose()`.

    When all connections are busy a caller waits up to `socket_timeout_seconds` for one instead of failing at
    once (the plain pool) or opening connections without end.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        connection_class=_Connection,  # of a `rediss` address it is redis-py's own
        max_connections=connections_max,
        timeout=socket_timeout_seconds,
        socket_timeout=socket_timeout_seconds,
        socket_connect_timeout=connect_timeout_seconds,
        socket_keepalive=True,
        decode_responses=False,
        retry=Retry(
            ExponentialWithJitterBackoff(base=_BACKOFF_SECONDS_INITIAL, cap=_BACKOFF_SECONDS_MAX), _RETRIES
        ),
        # A feature of Redis Enterprise; asking for it costs a round trip per connection.
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    return Redis.from_pool(pool)
