"""Which addresses a webhook may be sent to: those of the public Internet, and those that an operator allows.

An endpoint's owner chooses its URL, and must not reach services inside of our network through us (server-side
request forgery). So the command API checks the URL when it is registered, and the projector checks each
address that it connects to, because a name may have other addresses by then (DNS rebinding).
"""

import ipaddress
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
URL_CHARACTERS_MAX = 2048
# Addresses that contain an IPv4 address, which is what is reached in the end.
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_IPV4_COMPATIBLE = ipaddress.IPv6Network("::/96")
# `is_global` of some Python versions has them: protocol assignments (metadata services among them), relays of
# 6to4, and the old site-local addresses.
_REFUSED = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10")))


class RefusedUrl(ValueError):
    """The URL is no address that webhooks are sent to; the text says why."""


class Target(NamedTuple):
    """Where a message goes. `path` begins with `/` and has the query; `host` is a name in ASCII or an
    address without brackets.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def address(self) -> IPAddress | None:
        """If the host is an address and no name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None


def parsed_networks(text: str) -> tuple[IPNetwork, ...]:
    """Networks separated by commas, such as `127.0.0.0/8, ::1`. Raises `ValueError`."""
    return tuple(ipaddress.ip_network(each.strip()) for each in text.split(",") if each.strip())


def target(url: str) -> Target:
    """The parts of a URL. Raises `RefusedUrl`: no absolute http or https URL, credentials, a fragment."""
    if len(url) > URL_CHARACTERS_MAX or any(ord(each) <= 0x20 or ord(each) == 0x7F for each in url):
        raise RefusedUrl(f"a URL has at most {URL_CHARACTERS_MAX} characters, and none of them is a space")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RefusedUrl(f"this is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or "\\" in url:
        raise RefusedUrl("the URL must be absolute and begin with https://")
    if parts.username is not None or parts.password is not None or parts.fragment or "#" in url:
        raise RefusedUrl("the URL must not have a user, a password or a fragment")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise RefusedUrl("characters outside of ASCII must be percent-encoded")
    default_port = 443 if parts.scheme == "https" else 80
    return Target(parts.scheme, _host(parts), default_port if port is None else port, path)


def _host(parts: SplitResult) -> str:
    """In ASCII. An address is written as usual: resolvers also take `0x7f.1` and `2130706433` for 127.0.0.1,
    which are names here, and are checked when they are resolved.
    """
    host = parts.hostname or ""
    if "%" in host:
        raise RefusedUrl("an address with a zone reaches only a local network")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError as error:
        raise RefusedUrl("the host is not a valid name") from error


class AllowedNetworks:
    """The rule. `extra` are networks that an operator allows beside the public Internet; plain http is
    allowed only to them.
    """

    def __init__(self, extra: Sequence[IPNetwork] = ()) -> None:
        self._extra = tuple(extra)

    def check(self, address: IPAddress, scheme: str) -> None:
        """Raises `RefusedUrl` if no message may be sent to this address."""
        real = _reached(address)
        if _is_in(real, self._extra):
            return
        if not real.is_global or real.is_multicast or real.is_reserved or _is_in(real, _REFUSED):
            raise RefusedUrl(
                f"{address} is not public; an operator can allow its network (WEBHOOK_NETWORKS_ALLOWED)"
            )
        if scheme != "https":
            raise RefusedUrl("https is needed: plain http is allowed only to networks that an operator names")


def _is_in(address: IPAddress, networks: Sequence[IPNetwork]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _reached(address: IPAddress) -> IPAddress:
    """The address itself, or the IPv4 address inside of it."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    is_inside = any(address in network for network in _NAT64)
    if is_inside or (address in _IPV4_COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
