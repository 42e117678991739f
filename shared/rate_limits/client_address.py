"""The address of a client, also behind proxies, and never one that the client has made up.

The forwarding header counts only if the connection comes from a trusted proxy, and is read from its end: each
proxy adds the address from which it got the request. The last address that is no trusted proxy is the
client's; everything before it may be invented.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from shared.access.refusal_log import peer_address
from shared.ops.http.asgi import Scope

Network = IPv4Network | IPv6Network
HOPS_MAX = 10
_IPV6_NETWORK_BITS = 64
UNKNOWN = "unknown"


class ClientAddresses:
    """Reads `header`: `x-forwarded-for`, or `forwarded` (RFC 7239). Only one of them counts: a proxy that
    writes one may let the other pass as the client sent it.
    """

    def __init__(self, trusted: Sequence[Network] = (), header: str = "x-forwarded-for") -> None:
        self._trusted = trusted
        self._header = header.encode()
        self._hop = _hop_of_forwarded if header == "forwarded" else _plain_hop

    def of(self, peer: str | None, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The client's address; of IPv6 the network of 64 bits, because one client has all of it."""
        if not self._trusted or not self._is_trusted(peer):
            return _text(peer)
        address = peer
        for hop in self._hops(headers):
            if _parsed(hop) is None:
                break  # obfuscated or broken: the proxy that sent it is all that is known
            address = hop
            if not self._is_trusted(hop):
                break
        return _text(address)

    def of_request(self, scope: Scope) -> str:
        """The address of a request's client."""
        return self.of(peer_address(scope), scope["headers"])

    def _hops(self, headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
        """The addresses, the last first."""
        values = [value for name, value in headers if name == self._header]
        parts = b",".join(values).rsplit(b",", HOPS_MAX)[-HOPS_MAX:]
        return [self._hop(part.decode("latin-1").strip()) for part in reversed(parts)]

    def _is_trusted(self, text: str | None) -> bool:
        address = _parsed(text)
        return address is not None and any(address in network for network in self._trusted)


def networks_of(text: str) -> list[Network]:
    """Networks or addresses, separated by spaces or commas. Raises ValueError."""
    return [ip_network(each) for each in text.replace(",", " ").split()]


@lru_cache(maxsize=4096)
def _text(peer: str | None) -> str:
    address = _parsed(peer)
    if address is None:
        return UNKNOWN
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_NETWORK_BITS), strict=False))
    return str(address)


@lru_cache(maxsize=4096)
def _parsed(text: str | None) -> IPv4Address | IPv6Address | None:
    """Without a port and a zone; an IPv4 address in IPv6 form is the IPv4 address."""
    if not text:
        return None
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _plain_hop(part: str) -> str:
    return part


def _hop_of_forwarded(part: str) -> str:
    """The `for` of one element: `for=192.0.2.60;proto=http` or `For="[2001:db8::17]:4711"`."""
    for pair in part.split(";"):
        name, _, value = pair.strip().partition("=")
        if name.lower() == "for":
            return value.strip('"')
    return ""
