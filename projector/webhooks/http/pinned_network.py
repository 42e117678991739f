"""Connections to addresses that were checked, and to no others.

The name is resolved once for each connection, each address is checked, and the connection is made to the
address: a name that has another address a moment later (DNS rebinding) changes nothing. TLS still verifies
the name.
"""

from collections.abc import Iterable

import httpcore

from shared.webhooks.networks import AllowedNetworks, RefusedUrl, Target
from shared.webhooks.resolving import UnknownHost, allowed_addresses


class PinnedNetwork(httpcore.AsyncNetworkBackend):
    """For URLs of one scheme. Raises `httpcore.ConnectError`, also for a refused address."""

    def __init__(self, scheme: str, allowed: AllowedNetworks, *, resolve_seconds_max: float) -> None:
        self._scheme = scheme
        self._allowed = allowed
        self._resolve_seconds_max = resolve_seconds_max
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """To the first address that takes the connection."""
        target = Target(self._scheme, host, port, "/")
        try:
            addresses = await allowed_addresses(target, self._allowed, seconds_max=self._resolve_seconds_max)
        except (RefusedUrl, UnknownHost) as error:
            raise httpcore.ConnectError(str(error)) from error
        for last, address in enumerate(addresses, start=1 - len(addresses)):
            try:
                return await self._network.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if last == 0:
                    raise
        raise AssertionError("there is at least one address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """No webhook goes to a socket of this machine."""
        raise httpcore.ConnectError(f"{path} is no address for webhooks")

    async def sleep(self, seconds: float) -> None:
        """As the pool asks."""
        await self._network.sleep(seconds)
