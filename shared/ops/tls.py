"""TLS of our clients: 1.2 at least, the server's certificate and host name always verified.

There is no setting to verify less. A server with a private authority has its certificate in a `..._CA_FILE`.
"""

import ssl
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator

from shared.ops.logs import get_logger

_log = get_logger(__name__)


class TlsFiles(NamedTuple):
    """PEM files. `ca` None: the authorities of the system. `certificate` None: the client shows none."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def check(self) -> None:
        """At start. Raises `ValueError` with the reason."""
        if self == SYSTEM_AUTHORITIES:
            return
        if self.key is not None and self.certificate is None:
            raise ValueError("a key file without a certificate file")
        try:
            ClientTls(self).context()
        except ssl.SSLError as error:
            files = " and ".join(str(file) for file in self if file is not None)
            raise ValueError(f"{files}: not the PEM files of a certificate and its key: {error}") from error


SYSTEM_AUTHORITIES = TlsFiles()
"""For servers with public certificates."""


class ClientTls:
    """Makes the context for a connection, and a new one when a file has changed, as at a renewal."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._made: tuple[object, ssl.SSLContext] | None = None
        self._trouble: str | None = None

    def context(self) -> ssl.SSLContext:
        """Raises `OSError` (`ssl.SSLError` is one) if the files cannot be used and never could be.

        While new files cannot be used, the last context is: a renewal may be half done. That is logged once:
        some clients ask for each request.
        """
        before, self._trouble = self._trouble, None
        try:
            stamps = tuple(_stamp(file) for file in self._files)
            if self._made is None or self._made[0] != stamps:
                self._made = (stamps, _context(self._files))
        except OSError as error:
            if self._made is None:
                raise
            self._trouble = str(error)
            if self._trouble != before:
                files = [str(file) for file in self._files if file is not None]
                _log.warning("TLS keeps its last certificates", files=files, reason=self._trouble)
        return self._made[1]


def _context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=files.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.certificate is not None:
        # Without a password an encrypted key would be asked for on the terminal.
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
    return context


def public_and(ca: Path | None) -> ssl.SSLContext:
    """For servers of anybody: the authorities of the system, and those of a file beside them. Raises
    `OSError` (`ssl.SSLError` is one) if it cannot be used.
    """
    context = _context(SYSTEM_AUTHORITIES)
    if ca is not None:
        context.load_verify_locations(ca)
    return context


def _no_password() -> str:
    return ""


def _stamp(file: Path | None) -> tuple[int, int, int] | None:
    if file is None:
        return None
    found = file.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


def _readable(file: Path | None) -> Path | None:
    if file is None or not file.name:
        return None
    try:
        with file.open("rb"):
            return file
    except OSError as error:
        raise ValueError(f"the file {file} cannot be read: {error.strerror}") from error


ReadableFile = Annotated[Path | None, AfterValidator(_readable)]
"""A path that is read at start, to name the variable if it cannot be; an empty value is none."""
