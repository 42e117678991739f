"""Addresses in settings: checked at start, so that a mistyped one is no outage that is retried for ever.

No text of an error contains a part of the address: it may hold a password.
"""

import ipaddress
import re
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator

from shared.ops.development import Development

NOT_AN_ADDRESS = "not an address: percent-encode special characters of the password"
_PORTS = range(1, 65536)
# A name, an IPv4 address, or an IPv6 address in brackets; `_` is usual in the names of containers.
_host = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?|\[[0-9A-Fa-f:.]+(%[A-Za-z0-9]+)?\]")
_CLUSTER_SUFFIXES = (".svc", ".cluster.local", ".internal")


def split_url(text: str) -> SplitResult:
    """The parts of a URL. Raises `ValueError`, also for blanks and line ends, which `urlsplit` drops."""
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError("an address has no blanks, line ends or control characters")
    try:
        return urlsplit(text)
    except ValueError:
        raise ValueError(NOT_AN_ADDRESS) from None


def check_server(server: str) -> None:
    """`host`, `host:port` or `[IPv6]:port`. Raises `ValueError`."""
    host, _, port = server.rpartition(":") if re.search(r":[^\]]*\Z", server) else (server, "", "")
    if not host:
        raise ValueError("the host is missing")
    if server != host and not (port.isascii() and port.isdigit() and int(port) in _PORTS):
        raise ValueError("the port must be a number from 1 to 65535: percent-encode special characters")
    if _host.fullmatch(host) is None:
        raise ValueError("the host is no name or address: percent-encode special characters of the password")


def _checked_http(text: str) -> str:
    if not text:
        return text
    parts = split_url(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("expected http://host:port or https://host:port")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("an address of this kind has no password, no ? and no #")
    check_server(parts.netloc)
    return text


def _inside_a_cluster(url: str, _default: str) -> str | None:
    host = urlsplit(url).hostname or ""
    if _is_ip_address(host) or host == "localhost":
        return None
    if "." not in host.rstrip(".") or host.rstrip(".").endswith(_CLUSTER_SUFFIXES):
        return "is the address that clients get, and only this network knows its name: set a public one"
    return None


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


HttpAddress = Annotated[str, AfterValidator(_checked_http)]
"""An absolute http(s) address, or empty."""
PublicHttpAddress = Annotated[HttpAddress, Development(_inside_a_cluster)]
"""One that is handed to clients. Elsewhere than on one machine it must be given, and lead there."""
