"""Checks ports before anything starts, because a server's own error does not name our setting."""

import errno
import random
import socket
import threading
from collections.abc import Iterator, Mapping

from deploy.local.errors import PortTaken

HOST = "127.0.0.1"
_BLOCKS_BEGIN, _BLOCKS_END, _BLOCK_PORTS = 20_000, 32_000, 200


def free_port() -> int:
    """A free port of this process's own block of ports; for test runs, of which several may run at once.

    The kernel gives ports from 32768 on to clients: it could give one away while the port's server is
    stopped.
    """
    with _free_ports_lock:
        return next(port for port in _free_ports if not port_is_taken(port))


def port_is_taken(port: int) -> bool:
    """True if a server could not bind. Uses SO_REUSEADDR as servers do, so that TIME_WAIT does not count."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return True
            raise
    return False


def _own_block() -> Iterator[int]:
    """The ports of a block, in a circle. A process owns a block while it listens on its first port."""
    blocks = list(range(_BLOCKS_BEGIN, _BLOCKS_END, _BLOCK_PORTS))
    random.shuffle(blocks)
    for first in blocks:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as claim:
            try:
                claim.bind((HOST, first))
                claim.listen(1)
            except OSError:
                continue
            while True:
                yield from range(first + 1, first + _BLOCK_PORTS)
    raise PortTaken(f"every block of ports from {_BLOCKS_BEGIN} to {_BLOCKS_END} is in use")


_free_ports = _own_block()
_free_ports_lock = threading.Lock()


def require_free(port_by_setting: Mapping[str, int]) -> None:
    """Raise PortTaken with every setting whose port cannot be bound or is that of another setting."""
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
            "; ".join(problems)
            + ". Stop the program that uses it, or set another port in the environment or in .env."
        )
