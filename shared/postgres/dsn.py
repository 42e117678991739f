"""The address of a PostgreSQL database: checked at start, and read again for each new connection.

    sslmode=verify-full    TLS; the server's certificate and its host name are verified
    sslmode=disable        plain text
    sslmode=prefer         the default: TLS if the server offers it, verified by nobody: for this machine only

The modes in between (`allow`, `require`, `verify-ca`) look safe, and let another server pass for ours; they
are refused. `sslrootcert` names the authority's certificate, `sslcert` and `sslkey` name the client's own.
No text of an error contains a part of the address: a wrong one is still a secret.
"""

from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator

from shared.ops.secret import Secret, newest

_MODES = ("verify-full", "disable", "prefer")
_FILES = ("sslrootcert", "sslcert", "sslkey")


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
        raise ValueError("expected postgresql://user:password@host:port/database?sslmode=verify-full")
    try:
        parts = urlsplit(text)
        options = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    except ValueError:
        raise ValueError("not an address: percent-encode special characters of the password") from None
    for server in parts.netloc.rpartition("@")[2].split(","):
        port = server.rpartition("]")[2].partition(":")[2]
        if port and not (port.isascii() and port.isdigit()):
            raise ValueError("the port is no number: percent-encode special characters of the password")
    mode = options.get("sslmode", "prefer")
    if mode not in _MODES:
        raise ValueError(
            "sslmode must be verify-full, or disable: other modes do not verify that the server is ours"
        )
    if mode == "verify-full":
        for name in _FILES:
            if options.get(name) and not Path(options[name]).expanduser().is_file():
                raise ValueError(f"{name}: the file {options[name]} does not exist")


PostgresDsn = Annotated[Secret, AfterValidator(_checked)]
"""The type of a setting."""
