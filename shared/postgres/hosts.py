"""The hosts of one address in turn: `postgresql://user:password@first,second:5433/database`.

asyncpg asks the next host only after an error of the network, and a host that does not answer takes all of
its time. So a server that starts, has no connection left or hangs would keep a process from the others.
`target_session_attrs` is libpq's: any (the default), primary, standby, prefer-standby, read-write, read-only.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import asyncpg

from shared.postgres.errors import is_transient

AVOIDED_SECONDS = 5.0
"""For that long a host that has failed is asked after the others."""
_PREFER_STANDBY = "prefer-standby"
Connect = Callable[..., Awaitable[Any]]


class Hosts:
    """Connects to the first host that can be used, in the order of the address; remembers which failed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._avoided_until: dict[str, float] = {}

    async def connect(self, connect: Connect, dsn: str, *, timeout: float, **arguments: Any) -> Any:  # noqa: ASYNC109
        """A connection made by `connect`, which is asyncpg's. Raises what the last host raised; after
        `timeout` seconds over all hosts it is TimeoutError.
        """
        dsns = one_for_each_host(dsn)
        if len(dsns) == 1:
            return await connect(dsn, timeout=timeout, **arguments)
        turns = self._turns(dsns, dsn)
        ends = self._clock() + timeout
        failed: Exception = TimeoutError(f"no host has answered within {timeout:g} s")
        for number, (host, attributes) in enumerate(turns):
            # A host that hangs leaves the others their share; one that refuses leaves them all that is left.
            seconds = (ends - self._clock()) / (len(turns) - number)
            if seconds <= 0:
                break
            try:
                return await connect(
                    dsns[host], timeout=seconds, target_session_attrs=attributes, **arguments
                )
            except asyncpg.TargetServerAttributeNotMatched as error:
                failed = error
            except Exception as error:
                if not is_transient(error):
                    raise
                failed = error
                self._avoided_until[host] = self._clock() + AVOIDED_SECONDS
        raise failed

    def _turns(self, dsns: dict[str, str], dsn: str) -> list[tuple[str, str | None]]:
        """(host, what its session must be) in the order in which they are asked."""
        now = self._clock()
        hosts = sorted(dsns, key=lambda host: self._avoided_until.get(host, 0.0) > now)
        wanted = parse_qs(urlsplit(dsn).query).get("target_session_attrs", [None])[-1]
        if wanted == _PREFER_STANDBY:
            return [*((host, "standby") for host in hosts), *((host, "any") for host in hosts)]
        return [(host, wanted) for host in hosts]


def one_for_each_host(dsn: str) -> dict[str, str]:
    """Host and port -> the same address with this host alone."""
    parts = urlsplit(dsn)
    login, at, hosts = parts.netloc.rpartition("@")
    return {host: urlunsplit(parts._replace(netloc=f"{login}{at}{host}")) for host in hosts.split(",")}
