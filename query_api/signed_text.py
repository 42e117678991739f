"""Bytes as text that goes through clients and comes back unchanged, or is refused."""

import base64
import binascii
import hmac


class MalformedText(ValueError):
    """The text was never made here."""


class ForeignText(ValueError):
    """The text was changed, or was made with another key or for another context."""


class SignedText:
    """Signs with HMAC-SHA256, of which it keeps `mac_bytes`."""

    def __init__(self, key: bytes, *, mac_bytes: int) -> None:
        self._key = key
        self._mac_bytes = mac_bytes

    def text(self, payload: bytes, context: bytes = b"") -> str:
        """As base64url. It is good for this context alone, which it does not contain."""
        return base64.urlsafe_b64encode(self._mac(payload, context) + payload).rstrip(b"=").decode()

    def payload(self, text: str, context: bytes = b"") -> bytes:
        """What was signed. Raises `MalformedText` or `ForeignText`."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise MalformedText from error
        mac, payload = raw[: self._mac_bytes], raw[self._mac_bytes :]
        if not hmac.compare_digest(mac, self._mac(payload, context)):
            raise ForeignText
        return payload

    def _mac(self, payload: bytes, context: bytes) -> bytes:
        return hmac.digest(self._key, context + payload, "sha256")[: self._mac_bytes]
