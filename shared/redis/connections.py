"""Connections to Redis: plain, with TLS, and to the primary that sentinels name."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from redis.asyncio import Connection, SSLConnection
from redis.credentials import CredentialProvider
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,  # noqa: A004 - redis-py's own, not the built-in
    ReadOnlyError,
    ResponseError,
)

from shared.ops.addresses import split_url
from shared.ops.closed_transport import is_closed_transport
from shared.ops.secret import Secret
from shared.ops.tls import ClientTls
from shared.redis.address import Place, checked_redis_url
from shared.redis.errors import is_mistake
from shared.redis.sentinels import Primary


class PlainConnection(Connection):
    """Fails like any broken connection if uvloop refuses a write, so that redis-py makes a new one."""

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Raises only redis-py's errors."""
        try:
            await super().send_packed_command(command, check_health)
        except RuntimeError as error:
            if not is_closed_transport(error):
                raise
            raise ConnectionError(str(error)) from error


class TlsConnection(PlainConnection, SSLConnection):
    """TLS as in all our clients, with certificates that may be renewed."""

    def __init__(self, tls: ClientTls, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._tls = tls

    def _connection_arguments(self) -> Mapping[str, Any]:
        return {**super()._connection_arguments(), "ssl": self._tls.context()}


class SentinelConnection(PlainConnection):
    """Ends when its server is the primary no longer; the next attempt finds the new one."""

    def __init__(self, primary: Primary, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._primary = primary

    async def connect_check_health(self, *arguments: Any, **options: Any) -> None:
        """Here, because redis-py makes a connection error of all that `_connect` raises."""
        if not self.is_connected:
            self.host, self.port = await self._primary.place()
        await super().connect_check_health(*arguments, **options)

    async def on_connect_check_health(self, check_health: bool = True) -> None:
        """The sentinels may have named a server that is not the primary yet, or no longer."""
        await super().on_connect_check_health(check_health)
        await self.send_command("INFO", "replication", check_health=False)
        if b"role:master" not in await self.read_response(disable_decoding=True):
            await self.disconnect(nowait=True)
            raise ConnectionError(f"{self.host}:{self.port} is a replica")

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Raises only redis-py's errors."""
        if self.is_connected and self._primary.is_elsewhere(Place(self.host, self.port)):
            await self.disconnect(nowait=True)
            raise ConnectionError("another server is the primary now")
        await super().send_packed_command(command, check_health)

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        """Raises only redis-py's errors."""
        try:
            return await super().read_response(*arguments, **options)
        except ReadOnlyError as error:
            await self.disconnect(nowait=True)
            raise ConnectionError("the server is a replica now") from error


class TlsSentinelConnection(SentinelConnection, TlsConnection):
    """Both."""


class NewestCredentials(CredentialProvider):
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
        user, _, password = split_url(url).netloc.rpartition("@")[0].partition(":")
        return (unquote(user), unquote(password)) if user else (unquote(password),)

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        """The file is small: reading it does not hold up the others."""
        return self.get_credentials()


class SentinelQuestions:
    """Asks a sentinel over a connection that is kept. `connect` makes one; True: with the address's login.

    A sentinel may have no password where the primary has one, so the login is shown only if it is wanted.
    """

    def __init__(self, connect: Callable[[Place, bool], Connection]) -> None:
        self._connect = connect
        self._connections: dict[Place, Connection] = {}

    async def ask(self, sentinel: Place, name: str) -> Place | None:
        """Raises redis-py's errors."""
        if sentinel not in self._connections:
            self._connections[sentinel] = await self._connected(sentinel)
        connection = self._connections[sentinel]
        try:
            await connection.send_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name, check_health=False)
            found = await connection.read_response(disable_decoding=True)
        except BaseException as error:
            del self._connections[sentinel]
            await connection.disconnect(nowait=True)
            if isinstance(error, ResponseError) and not is_mistake(error):
                # An address that is wrong: no value is at fault.
                where = f"{sentinel.host}:{sentinel.port}"
                raise ConnectionError(f"{where} is not a sentinel: {error}") from error
            raise
        return Place(found[0].decode(), int(found[1])) if found else None

    async def close(self) -> None:
        """Disconnect."""
        for connection in self._connections.values():
            await connection.disconnect(nowait=True)
        self._connections.clear()

    async def _connected(self, sentinel: Place) -> Connection:
        for with_login in (False, True):
            connection = self._connect(sentinel, with_login)
            try:
                await connection.connect()  # type: ignore[no-untyped-call]
                await connection.send_command("PING", check_health=False)
                await connection.read_response()
            except AuthenticationError:
                await connection.disconnect(nowait=True)
                if with_login:
                    raise
            except BaseException:
                await connection.disconnect(nowait=True)
                raise
            else:
                return connection
        raise AssertionError("the loop returns or raises")
