"""The address of Redis, which may contain a user and a password, and the certificates of TLS."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from shared.ops.secret import Secret
from shared.ops.tls import SYSTEM_AUTHORITIES, TlsFiles

_SCHEMES = ("redis", "rediss", "unix")


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """`rediss://` is TLS. User and password are read again for each connection, the rest once."""

    url: Secret
    tls: TlsFiles = SYSTEM_AUTHORITIES


def checked_redis_url(url: str) -> None:
    """Raises `ValueError`; its text does not contain the URL, which may hold a password."""
    try:
        parts = urlsplit(url)
        port_is_given = parts.scheme == "unix" or parts.port is None or parts.port > 0
        options = parse_qs(parts.query)
    except ValueError:
        raise ValueError("not an address: percent-encode special characters of the password") from None
    if parts.scheme not in _SCHEMES or not port_is_given:
        raise ValueError("expected redis://user:password@host:port/0, rediss:// for TLS, or unix://path")
    if any(name.startswith("ssl_") for name in options):
        raise ValueError(
            "options of TLS are REDIS_CA_FILE, REDIS_CERTIFICATE_FILE and REDIS_KEY_FILE; the server is "
            "always verified"
        )
