"""The address of Redis: of one server, of the sentinels of a primary, or of a cluster; and how TLS is made.

The form for sentinels is Lettuce's, `redis-sentinel://host1,host2/database#primary`, and that for a cluster
is built like it. No form is registered, and redis-py has none.
"""

from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs, urlunsplit

from shared.ops.addresses import check_server, split_url
from shared.ops.secret import Secret
from shared.ops.tls import SYSTEM_AUTHORITIES, TlsFiles
from shared.ops.unverified_servers import host_of

_ONE = ("redis", "rediss")
_SENTINELS = ("redis-sentinel", "rediss-sentinel")
_CLUSTER = ("redis-cluster", "rediss-cluster")
_EXPECTED = "redis://user:password@host:port/0, rediss:// for TLS, or unix://path"
_EXPECTED_SENTINELS = "redis-sentinel://user:password@host:port,host:port/0#name-of-the-primary"
_EXPECTED_CLUSTER = "redis-cluster://user:password@host:port,host:port"
_PORT, _PORT_OF_SENTINELS = 6379, 26379


class Place(NamedTuple):
    """Where a server listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """`rediss` is TLS. User and password are read again for each connection, the rest once."""

    url: Secret
    tls: TlsFiles = SYSTEM_AUTHORITIES

    @property
    def is_tls(self) -> bool:
        """To all of its servers."""
        return self._parts.scheme.startswith("rediss")

    @property
    def primary_name(self) -> str:
        """The name under which sentinels know the primary; empty without sentinels."""
        return self._parts.fragment

    @property
    def is_cluster(self) -> bool:
        """Whether its keys are spread over several primaries."""
        return self._parts.scheme in _CLUSTER

    @property
    def places(self) -> list[Place]:
        """The sentinels, or some nodes of the cluster."""
        port = _PORT_OF_SENTINELS if self._parts.scheme in _SENTINELS else _PORT
        return [_place(server, port) for server in _servers(self._parts)]

    @property
    def url_of_one(self) -> str:
        """In the form of one server, for redis-py: with user, password, database and options."""
        parts = self._parts
        if parts.scheme not in (*_SENTINELS, *_CLUSTER):
            return self.url.read()
        login, at, _ = parts.netloc.rpartition("@")
        scheme = "rediss" if self.is_tls else "redis"
        return urlunsplit((scheme, f"{login}{at}{_servers(parts)[0]}", parts.path, parts.query, ""))

    @property
    def _parts(self) -> SplitResult:
        return split_url(self.url.read())


def unverified_hosts(url: str) -> list[str]:
    """Its hosts, unless TLS is used: that is always verified."""
    parts = split_url(url)
    return (
        []
        if parts.scheme.startswith("rediss") or parts.scheme == "unix"
        else [*map(host_of, _servers(parts))]
    )


def checked_redis_url(url: str) -> None:
    """Raises `ValueError`; its text does not contain the URL, which may hold a password."""
    parts = split_url(url)
    options = parse_qs(parts.query, keep_blank_values=True)
    if parts.scheme == "unix":
        if parts.fragment:
            raise ValueError(f"expected {_EXPECTED}")
        if not parts.path.strip("/"):
            raise ValueError(f"the path is missing: expected {_EXPECTED}")
    elif parts.scheme in _SENTINELS:
        if not parts.fragment:
            raise ValueError(f"the name of the primary is missing: expected {_EXPECTED_SENTINELS}")
        _check_servers(parts, _EXPECTED_SENTINELS)
    elif parts.scheme in _CLUSTER:
        if parts.fragment:
            raise ValueError(f"a cluster has no # with a name: expected {_EXPECTED_CLUSTER}")
        if parts.path not in ("", "/", "/0"):
            raise ValueError(f"a cluster has only database 0: expected {_EXPECTED_CLUSTER}")
        _check_servers(parts, _EXPECTED_CLUSTER)
    elif parts.scheme in _ONE and not parts.fragment:
        if "," in parts.netloc.rpartition("@")[2]:
            raise ValueError(f"several servers: expected {_EXPECTED_SENTINELS}, or {_EXPECTED_CLUSTER}")
        _check_servers(parts, _EXPECTED)
    else:
        raise ValueError(f"expected {_EXPECTED}; {_EXPECTED_SENTINELS}; or {_EXPECTED_CLUSTER}")
    if any(name.startswith("ssl_") for name in options):
        raise ValueError(
            "options of TLS are REDIS_CA_FILE, REDIS_CERTIFICATE_FILE and REDIS_KEY_FILE; the server is "
            "always verified"
        )


def _check_servers(parts: SplitResult, expected: str) -> None:
    for server in _servers(parts):
        check_server(server)
    # redis-py would take database 0 for another path.
    if parts.path not in ("", "/") and not (parts.path[1:].isascii() and parts.path[1:].isdigit()):
        raise ValueError(f"the database is no number: expected {expected}")


def _servers(parts: SplitResult) -> list[str]:
    return parts.netloc.rpartition("@")[2].split(",")


def _place(server: str, port: int) -> Place:
    host = host_of(server)
    return Place(host.removeprefix("[").removesuffix("]"), int(server[len(host) + 1 :] or port))
