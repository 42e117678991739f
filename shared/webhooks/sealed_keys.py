"""Signing keys are stored sealed: a backup or a reader of the database cannot sign with them.

Fernet (AES-128-CBC with HMAC-SHA256) of the package `cryptography`. The setting may have several texts,
separated by commas: the first one seals, all of them open, so that it can be rotated.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from shared.ops.secret import Secret


class KeyIsSealed(Exception):
    """The key was sealed with a text that WEBHOOK_SECRET_KEY has no longer."""


class SealedKeys:
    """Reads the setting each time, so that a rotation needs no restart."""

    def __init__(self, texts: Secret) -> None:
        self._texts = texts

    def seal(self, key: bytes) -> str:
        """As ASCII text."""
        return self._fernet().encrypt(key).decode()

    def open(self, sealed: str) -> bytes:
        """Raises `KeyIsSealed`."""
        try:
            return self._fernet().decrypt(sealed.encode())
        except InvalidToken as error:
            raise KeyIsSealed("a signing key cannot be opened with WEBHOOK_SECRET_KEY") from error

    def _fernet(self) -> MultiFernet:
        texts = [text.strip() for text in self._texts.read().split(",") if text.strip()]
        return MultiFernet([Fernet(_key(text)) for text in texts])


def _key(text: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"webhook signing keys\0" + text.encode()).digest())
