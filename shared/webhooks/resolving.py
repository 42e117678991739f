"""The addresses of a host, each of them checked."""

import asyncio
import ipaddress
import socket

from shared.webhooks.networks import AllowedNetworks, IPAddress, RefusedUrl, Target


class UnknownHost(Exception):
    """The name cannot be resolved now; the text says why."""


async def allowed_addresses(
    target: Target, allowed: AllowedNetworks, *, seconds_max: float
) -> list[IPAddress]:
    """At least one. Raises `RefusedUrl` if even one address is refused, and `UnknownHost`."""
    try:
        async with asyncio.timeout(seconds_max):
            found = await asyncio.get_running_loop().getaddrinfo(
                target.host, target.port, type=socket.SOCK_STREAM
            )
    except (OSError, TimeoutError, UnicodeError) as error:
        raise UnknownHost(f"{target.host} cannot be resolved: {error or 'no answer'}") from error
    addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not addresses:
        raise UnknownHost(f"{target.host} has no address")
    for address in addresses:
        try:
            allowed.check(address, target.scheme)
        except RefusedUrl as error:
            if target.address is not None:
                raise
            raise RefusedUrl(f"{target.host}: {error}") from error
    return list(dict.fromkeys(addresses))
