"""The address of a PostgreSQL database: checked at start, and read again for each new connection.

    sslmode=verify-full    TLS; the server's certificate and its host name are verified
    sslmode=disable        plain text
    sslmode=prefer         the default: TLS if the server offers it, verified by nobody: for this machine only

The modes in between (`allow`, `require`, `verify-ca`) look safe, and let another server pass for ours; they
are refused. `sslrootcert` names the authority's certificate: without it verify-full takes PGSSLROOTCERT or
~/.postgresql/root.crt, as libpq does. `sslcert` and `sslkey` name the client's own.
No text of an error contains a part of the address: a wrong one is still a secret.
"""

import os
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs

from pydantic import AfterValidator

from shared.ops.addresses import NOT_AN_ADDRESS, check_server, split_url
from shared.ops.secret import Secret, newest
from shared.ops.unverified_servers import ServerAddress, host_of

_MODES = ("verify-full", "disable", "prefer")
_FILES = ("sslrootcert", "sslcert", "sslkey")
_TLS_OPTIONS = (
    "sslmode",
    *_FILES,
    "sslcrl",
    "sslpassword",
    "sslnegotiation",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
)
_EXPECTED = "postgresql://user:password@host:port/database?sslmode=verify-full&sslrootcert=FILE"
_ROOT_CERTIFICATE = "~/.postgresql/root.crt"


class WrongDsn(ConnectionError):
    """The address that a rotated file contains cannot be used: as if the server were unavailable."""


def read_dsn(dsn: Secret | str) -> str:
    """The present address. Raises `WrongDsn`."""
    text = newest(dsn)
    try:
        _check(text)
    except ValueError as error:
        raise WrongDsn(str(error)) from error
    return text


def _checked(dsn: Secret) -> Secret:
    _check(dsn.read())
    return dsn


def _check(text: str) -> None:
    """Raises `ValueError`."""
    if not text.startswith(("postgresql://", "postgres://")):
        raise ValueError(f"expected {_EXPECTED}")
    parts = split_url(text)
    options = _options(parts.query)
    login, _, servers = parts.netloc.rpartition("@")
    if servers or not options.get("host"):
        for server in servers.split(","):
            check_server(server)
    if not (login.partition(":")[0] or options.get("user")):
        raise ValueError(f"the user is missing: expected {_EXPECTED}")
    if not (parts.path.strip("/") or options.get("database") or options.get("dbname")):
        raise ValueError(f"the database is missing: expected {_EXPECTED}")
    if parts.fragment or "/" in parts.path.strip("/"):
        raise ValueError(NOT_AN_ADDRESS)
    _check_tls(options)


def _options(query: str) -> dict[str, str]:
    """As the driver reads them: each has a name, `=` and a value. Raises `ValueError`."""
    if not query:
        return {}
    try:
        given = parse_qs(query, keep_blank_values=True, strict_parsing=True)
    except ValueError as error:
        raise ValueError(NOT_AN_ADDRESS) from error
    return {name: values[-1] for name, values in given.items()}


def _check_tls(options: dict[str, str]) -> None:
    """Raises `ValueError`."""
    if any(name.startswith("ssl") and name not in _TLS_OPTIONS for name in options):
        # PostgreSQL would refuse it as a parameter of its own, at each attempt.
        raise ValueError(f"an option of TLS is none of {', '.join(_TLS_OPTIONS)}")
    mode = options.get("sslmode", "prefer")
    if mode not in _MODES:
        raise ValueError(
            "sslmode must be verify-full, or disable: other modes do not verify that the server is ours"
        )
    if mode == "verify-full":
        for name in _FILES:
            if options.get(name) and not _is_file(options[name]):
                raise ValueError(f"{name}: the file {options[name]} does not exist")
        if not (options.get("sslrootcert") or _is_file(os.environ.get("PGSSLROOTCERT") or _ROOT_CERTIFICATE)):
            raise ValueError(
                "sslmode=verify-full needs sslrootcert, the file with the authority's certificate"
            )


def _is_file(path: str) -> bool:
    # Unlike that of Path it raises nothing where there is no home directory.
    return Path(os.path.expanduser(path)).is_file()


def _unverified(dsn: Secret, _: object) -> list[str]:
    """The hosts, unless the server is verified. Without one the driver takes the socket of this machine."""
    parts = split_url(dsn.read())
    options = parse_qs(parts.query)
    if options.get("sslmode", [""])[-1] == "verify-full":
        return []
    servers = parts.netloc.rpartition("@")[2] or options.get("host", [""])[-1]
    return [host_of(server) for server in servers.split(",") if server]


PostgresDsn = Annotated[Secret, AfterValidator(_checked), ServerAddress(_unverified)]
"""The type of a setting."""
OptionalPostgresDsn = Annotated[
    Secret, AfterValidator(lambda dsn: _checked(dsn) if dsn else dsn), ServerAddress(_unverified)
]
"""The same for one that may be empty."""
