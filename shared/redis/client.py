"""A Redis client for requests: a dead Redis may cost a request one short time-out, never a minute.

With redis-py's defaults (10 retries with back-off, 5 s time-outs) a request takes about a minute if Redis
accepts connections and never answers. Here there is one retry, because a restart may have closed a pooled
connection, and the caller chooses the time-outs (50 to 250 ms suit a cache). The circuit breaker does the
rest (`shared.ops.breaker`).
"""

from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import UnixDomainSocketConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.maint_notifications import MaintNotificationsConfig

from shared.ops.tls import ClientTls
from shared.redis.address import Place, RedisAddress
from shared.redis.cluster.client import ClusterRedis
from shared.redis.connections import (
    NewestCredentials,
    PlainConnection,
    SentinelConnection,
    SentinelQuestions,
    TlsConnection,
    TlsSentinelConnection,
)
from shared.redis.sentinels import Primary

_RETRIES = 1
_BACKOFF_SECONDS_INITIAL = 0.005
_BACKOFF_SECONDS_MAX = 0.025
# What a connection to a sentinel has in common with those to the primary.
_OF_CONNECTIONS = ("socket_timeout", "socket_connect_timeout", "socket_keepalive", "retry", "tls")


class _SentinelPool(BlockingConnectionPool):
    """Closes what asks the sentinels with the connections to the primary."""

    async def aclose(self) -> None:
        await super().aclose()
        await self.connection_kwargs["primary"].close()


def create_redis(
    server: RedisAddress,
    *,
    socket_timeout_seconds: float,
    connect_timeout_seconds: float,
    connections_max: int,
) -> Redis:
    """A client over a bounded pool; it connects when first used, and returns bytes. Close it with `await
    client.aclose()`. For a cluster it is a `ClusterRedis`, and the bound is for each node.

    If all connections are busy, a caller waits up to `socket_timeout_seconds` for one. The plain pool would
    fail at once.
    """
    limits = {
        "max_connections": connections_max,
        "timeout": socket_timeout_seconds,
        "socket_timeout": socket_timeout_seconds,
        "socket_connect_timeout": connect_timeout_seconds,
        "socket_keepalive": True,
        "decode_responses": False,
        "retry": Retry(
            ExponentialWithJitterBackoff(base=_BACKOFF_SECONDS_INITIAL, cap=_BACKOFF_SECONDS_MAX), _RETRIES
        ),
        # A feature of Redis Enterprise; the request for it costs a round trip per connection.
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    options = {**_address(server), **limits}
    if server.is_cluster:
        return ClusterRedis(
            server.places,
            lambda place: Redis.from_pool(BlockingConnectionPool(**{**options, **place._asdict()})),
        )
    if server.primary_name:
        return Redis.from_pool(_SentinelPool(**_by_sentinels(server, options)))
    return Redis.from_pool(BlockingConnectionPool(**options))


def _by_sentinels(server: RedisAddress, options: dict[str, Any]) -> dict[str, Any]:
    login = options.get("credential_provider")
    to_sentinels = {name: options[name] for name in _OF_CONNECTIONS if name in options}
    connection_class = TlsConnection if server.is_tls else PlainConnection

    def connect(sentinel: Place, with_login: bool) -> PlainConnection:
        return connection_class(
            **to_sentinels, **sentinel._asdict(), credential_provider=login if with_login else None
        )

    primary = Primary(server.places, server.primary_name, SentinelQuestions(connect))
    return {
        **options,
        "connection_class": TlsSentinelConnection if server.is_tls else SentinelConnection,
        "primary": primary,
    }


def _address(server: RedisAddress) -> dict[str, Any]:
    """Arguments of the pool: the address without its user and password, and the class of its connections."""
    options: dict[str, Any] = dict(parse_url(server.url_of_one))
    user, password = options.pop("username", None), options.pop("password", None)
    if user or password:
        options["credential_provider"] = NewestCredentials(server.url)
    if options.get("connection_class") is UnixDomainSocketConnection:
        return options
    options["connection_class"] = PlainConnection
    if server.is_tls:
        options |= {"connection_class": TlsConnection, "tls": ClientTls(server.tls)}
    return options
