"""Certificates of the tests' own authority, good ones and wrong ones, as files."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

HOST_NAME = "localhost"
"""Not in the certificates: 127.0.0.1 is."""
_ADDRESS = "127.0.0.1"
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Certificates:
    """`ca` is the authority's file, `other_ca` that of one that signed nothing here."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._authority = trustme.CA()
        self.ca = self._written("ca.pem", self._authority.cert_pem.bytes())
        self.other_ca = self._written("other-ca.pem", trustme.CA().cert_pem.bytes())
        self.server = self._pem("server", self._authority.issue_cert(_ADDRESS))
        expired = self._authority.issue_cert(
            _ADDRESS, not_before=_LONG_AGO, not_after=_LONG_AGO.replace(year=2021)
        )
        self.expired = self._pem("expired", expired)

    def of(self, *names: str) -> Path:
        """A certificate and its key in one file, for a server with these names or addresses."""
        return self._pem("-".join(names), self._authority.issue_cert(*names))

    def client(self, name: str) -> Path:
        """A certificate and its key in one file, for the client of this name."""
        return self._pem(
            f"client-{name}",
            self._authority.issue_cert(f"{name.replace('_', '-')}.client.test", common_name=name),
        )

    def context(
        self, *, expired: bool = False, requires_client: bool = False, requests_client: bool = False
    ) -> ssl.SSLContext:
        """A server's side."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.ca)
        context.load_cert_chain(self.expired if expired else self.server)
        context.verify_mode = (
            ssl.CERT_REQUIRED if requires_client else ssl.CERT_OPTIONAL if requests_client else ssl.CERT_NONE
        )
        return context

    def _pem(self, name: str, leaf: trustme.LeafCert) -> Path:
        """The key as PKCS 8, because Kafka reads no other."""
        key = load_pem_private_key(leaf.private_key_pem.bytes(), password=None)
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return self._written(f"{name}.pem", text + b"".join(pem.bytes() for pem in leaf.cert_chain_pems))

    def _written(self, name: str, content: bytes) -> Path:
        file = self._folder / name
        file.write_bytes(content)
        return file
