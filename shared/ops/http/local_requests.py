"""Which requests a port without access control takes: those of programs on this machine.

Such a port listens on loopback, which keeps other machines out, but not the pages that a browser on this
machine shows. A page of any site may send simple requests to any address (cross-site request forgery), and a
site may let its own name lead to 127.0.0.1: then this port is part of the site, and its pages read the
answers, too (DNS rebinding). A browser says in Host which name was asked for, and in Origin whose page asks.
"""

import ipaddress
import re
from dataclasses import dataclass

from shared.ops.http.problem import Problem

NOT_THIS_HOST = Problem(
    421,
    "host-not-served",
    "This host is not served here.",
    "Without access control only this machine is served: ask for localhost or 127.0.0.1.",
)
NOT_THIS_ORIGIN = Problem(
    403,
    "origin-not-allowed",
    "Pages of this origin may not send requests here.",
    "Without access control only pages of this machine and of CORS_ORIGINS may.",
)
_LOCALHOST = "localhost"
_port = re.compile(r":[0-9]*\Z")


@dataclass(frozen=True, slots=True)
class LocalRequests:
    """`listen_host` is the name or address of the port itself; all names of loopback are known without it."""

    listen_host: str = _LOCALHOST

    def takes_host(self, value: bytes) -> bool:
        """Whether a Host header names this machine."""
        host = _port.sub("", value.decode("latin-1")).lower()
        return host == self.listen_host.lower() or _is_loopback(host)

    def takes_origin(self, value: bytes) -> bool:
        """Whether an Origin header names a page of this machine. `null`, a page of no origin, does not."""
        scheme, _, authority = value.partition(b"://")
        return scheme in (b"http", b"https") and self.takes_host(authority)


def stays_here(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether packets to this address do not leave this machine."""
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _is_loopback(host: str) -> bool:
    """A browser resolves names that end with `.localhost` itself (RFC 6761, 6.3)."""
    if host == _LOCALHOST or host.endswith(f".{_LOCALHOST}"):
        return True
    try:
        return stays_here(ipaddress.ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        return False
