"""A Redis client for requests: a dead Redis may cost a request one short time-out, never a minute.

With redis-py's defaults (10 retries with back-off, 5 s time-outs) a request takes about a minute if Redis
accepts connections and never answers. Here there is one retry, because a restart may have closed a pooled
connection, and the caller chooses the time-outs (50 to 250 ms suit a cache). The circuit breaker does the
rest (`shared.ops.breaker`).
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
    """Fails like any broken connection if uvloop refuses a write, so that redis-py makes a new one."""

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Raises only redis-py's errors."""
        try:
            await super().send_packed_command(command, check_health)
        except RuntimeError as error:
            if not is_closed_transport(error):
                raise
            raise ConnectionError(str(error)) from error


def create_redis(
    url: str, *, socket_timeout_seconds: float, connect_timeout_seconds: float, connections_max: int
) -> Redis:
    """A client over a bounded pool; it connects when first used, and returns bytes. Close it with `await
    client.aclose()`.

    If all connections are busy, a caller waits up to `socket_timeout_seconds` for one. The plain pool would
    fail at once.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        connection_class=_Connection,  # for a `rediss` address redis-py's own class is used
        max_connections=connections_max,
        timeout=socket_timeout_seconds,
        socket_timeout=socket_timeout_seconds,
        socket_connect_timeout=connect_timeout_seconds,
        socket_keepalive=True,
        decode_responses=False,
        retry=Retry(
            ExponentialWithJitterBackoff(base=_BACKOFF_SECONDS_INITIAL, cap=_BACKOFF_SECONDS_MAX), _RETRIES
        ),
        # A feature of Redis Enterprise; the request for it costs a round trip per connection.
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    return Redis.from_pool(pool)
