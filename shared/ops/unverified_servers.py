"""Says at start which servers elsewhere a process reaches without verified TLS.

It is no error: a mesh may encrypt, and a trial needs no certificates. But where nobody chose it, passwords
and data cross a network in the clear, or another server may pass for ours, and nothing else shows it.
Each setting that leads to a server is marked; no list repeats the marks.
"""

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from shared.ops.http.local_requests import stays_here
from shared.ops.logs import get_logger

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The mark. `unverified`: (value, settings) -> the hosts that are reached without verified TLS."""

    unverified: Callable[[Any, Any], Iterable[str]]


def warn_of_unverified_servers(settings: BaseModel) -> None:
    """A line for each setting. Names are not looked up, because the start does not wait for a name server."""
    for name, field in type(settings).model_fields.items():
        for mark in field.metadata:
            if isinstance(mark, ServerAddress):
                hosts = mark.unverified(getattr(settings, name), settings)
                if not all(_is_here(host) for host in hosts):
                    _log.warning("a server elsewhere is reached without verified TLS", setting=name.upper())


def host_of(server: str) -> str:
    """Of `host`, `host:port` or `[IPv6]:port`."""
    host, colon, port = server.strip().rpartition(":")
    return host if colon and port.isdigit() else server.strip()


def _is_here(host: str) -> bool:
    """The path of a socket, too."""
    if host == "localhost" or host.startswith("/"):
        return True
    try:
        return stays_here(ipaddress.ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        return False
