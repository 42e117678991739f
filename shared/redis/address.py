"""The address of Redis, which may contain a user and a password, and the certificates of TLS."""

from dataclasses import dataclass
from urllib.parse import parse_qs

from shared.ops.addresses import check_server, split_url
from shared.ops.secret import Secret
from shared.ops.tls import SYSTEM_AUTHORITIES, TlsFiles
from shared.ops.unverified_servers import host_of

_SCHEMES = ("redis", "rediss", "unix")
_EXPECTED = "redis://user:password@host:port/0, rediss:// for TLS, or unix://path"


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """`rediss://` is TLS. User and password are read again for each connection, the rest once."""

    url: Secret
    tls: TlsFiles = SYSTEM_AUTHORITIES


def unverified_hosts(url: str) -> list[str]:
    """Its host, unless TLS is used: that is always verified."""
    parts = split_url(url)
    return [host_of(parts.netloc.rpartition("@")[2])] if parts.scheme == "redis" else []


def checked_redis_url(url: str) -> None:
    """Raises `ValueError`; its text does not contain the URL, which may hold a password."""
    parts = split_url(url)
    if parts.scheme not in _SCHEMES or parts.fragment:
        raise ValueError(f"expected {_EXPECTED}")
    options = parse_qs(parts.query, keep_blank_values=True)
    if parts.scheme == "unix":
        if not parts.path.strip("/"):
            raise ValueError(f"the path is missing: expected {_EXPECTED}")
    else:
        check_server(parts.netloc.rpartition("@")[2])
        # redis-py would take database 0 for another path.
        if parts.path not in ("", "/") and not (parts.path[1:].isascii() and parts.path[1:].isdigit()):
            raise ValueError(f"the database is no number: expected {_EXPECTED}")
    if any(name.startswith("ssl_") for name in options):
        raise ValueError(
            "options of TLS are REDIS_CA_FILE, REDIS_CERTIFICATE_FILE and REDIS_KEY_FILE; the server is "
            "always verified"
        )
