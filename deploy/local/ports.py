"""Ports are checked before anything starts, because a server's own bind error names no setting of ours."""

import errno
import socket
from collections.abc import Mapping

from deploy.local.errors import PortTaken

HOST = "127.0.0.1"


def free_port() -> int:
    """A port nobody listens on now. Another program may take it first: only tests accept that race."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_taken(port: int) -> bool:
    """True where a server could not bind. SO_REUSEADDR as servers do, or TIME_WAIT would count as taken."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return True
            raise
    return False


def require_free(port_by_setting: Mapping[str, int]) -> None:
    """Raise PortTaken naming every setting whose port cannot be bound, and two settings that share a port."""
    seen: dict[int, str] = {}
    problems: list[str] = []
    for setting, port in port_by_setting.items():
        if port in seen:
            problems.append(f"{setting} and {seen[port]} are both {port}")
        elif port_is_taken(port):
            problems.append(f"port {port} ({setting}) is in use")
        seen.setdefault(port, setting)
    if problems:
        raise PortTaken(
            "; ".join(problems) + ". Stop what uses it, or set another port in the environment or in .env."
        )
