"""The address of OpenSearch, which may contain a user and a password, and the certificates of TLS."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from shared.ops.addresses import check_server, split_url
from shared.ops.secret import Secret
from shared.ops.tls import SYSTEM_AUTHORITIES, TlsFiles
from shared.ops.unverified_servers import host_of

_EXPECTED = "https://user:password@host:port, or http:// without TLS"


@dataclass(frozen=True, slots=True)
class SearchAddress:
    """User and password are read again for each request, the rest once."""

    url: Secret
    tls: TlsFiles = SYSTEM_AUTHORITIES

    @property
    def server(self) -> str:
        """Without user and password."""
        parts = urlsplit(self.url.read())
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], path=parts.path.rstrip("/")).geturl()

    def log_in(self) -> tuple[str, str] | None:
        """User and password as the address has them now."""
        parts = urlsplit(self.url.read())
        if parts.username is None:
            return None
        return unquote(parts.username), unquote(parts.password or "")


def unverified_hosts(url: str) -> list[str]:
    """Its host, unless TLS is used: that is always verified."""
    parts = split_url(url)
    return [host_of(parts.netloc.rpartition("@")[2])] if parts.scheme == "http" else []


def checked_search_url(url: str) -> None:
    """Raises `ValueError`; its text does not contain the URL, which may hold a password."""
    if not url:
        return
    parts = split_url(url)
    has_half = parts.username is not None and not parts.password
    if parts.scheme not in ("http", "https") or parts.query or parts.fragment or has_half:
        raise ValueError(f"expected {_EXPECTED}")
    check_server(parts.netloc.rpartition("@")[2])
