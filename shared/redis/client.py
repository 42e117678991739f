"""A Redis client for requests: a dead Redis may cost a request one short time-out, never a minute.

With redis-py's defaults (10 retries with back-off, 5 s time-outs) a request takes about a minute if Redis
accepts connections and never answers. Here there is one retry, because a restart may have closed a pooled
connection, and the caller chooses the time-outs (50 to 250 ms suit a cache). The circuit breaker does the
rest (`shared.ops.breaker`).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection
from redis.asyncio.connection import UnixDomainSocketConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,  # noqa: A004 - redis-py's own, not the built-in
)
from redis.maint_notifications import MaintNotificationsConfig

from shared.ops.closed_transport import is_closed_transport
from shared.ops.secret import Secret
from shared.ops.tls import ClientTls
from shared.redis.address import RedisAddress, checked_redis_url

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


class _TlsConnection(_Connection, SSLConnection):
    """TLS as in all our clients, with certificates that may be renewed."""

    def __init__(self, tls: ClientTls, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._tls = tls

    def _connection_arguments(self) -> Mapping[str, Any]:
        return {**super()._connection_arguments(), "ssl": self._tls.context()}


class _NewestCredentials(CredentialProvider):
    """User and password as the address has them when a connection logs in."""

    def __init__(self, url: Secret) -> None:
        self._url = url

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Raises `AuthenticationError` for an address that cannot be used, as for a wrong password."""
        url = self._url.read()
        try:
            checked_redis_url(url)
        except ValueError as error:
            raise AuthenticationError(f"the rotated REDIS_URL: {error}") from error
        parts = urlsplit(url)
        password = unquote(parts.password or "")
        return (unquote(parts.username), password) if parts.username else (password,)

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        """The file is small: reading it does not hold up the others."""
        return self.get_credentials()


def create_redis(
    server: RedisAddress,
    *,
    socket_timeout_seconds: float,
    connect_timeout_seconds: float,
    connections_max: int,
) -> Redis:
    """A client over a bounded pool; it connects when first used, and returns bytes. Close it with `await
    client.aclose()`.

    If all connections are busy, a caller waits up to `socket_timeout_seconds` for one. The plain pool would
    fail at once.
    """
    pool = BlockingConnectionPool(
        **_address(server),
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


def _address(server: RedisAddress) -> dict[str, Any]:
    """Arguments of the pool: the address without its user and password, and the class of its connections."""
    url = server.url.read()
    options: dict[str, Any] = dict(parse_url(url))
    user, password = options.pop("username", None), options.pop("password", None)
    if user or password:
        options["credential_provider"] = _NewestCredentials(server.url)
    if options.pop("connection_class", None) is UnixDomainSocketConnection:
        return {**options, "connection_class": UnixDomainSocketConnection}
    if urlsplit(url).scheme == "rediss":
        return {**options, "connection_class": _TlsConnection, "tls": ClientTls(server.tls)}
    return {**options, "connection_class": _Connection}
