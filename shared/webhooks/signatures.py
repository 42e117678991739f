"""Signatures of Standard Webhooks 1.0: keys as their owners see them, and the header of a message.

Source: the specification, sections "Signature scheme" and "Headers".
"""

import base64
import hmac
import secrets
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.webhooks.endpoint import Signature

_HMAC_KEY_BYTES = 32
_ED25519_SEED_BYTES = 32


class SigningKey(NamedTuple):
    """`key`: the bytes of an HMAC key, or the seed of an ed25519 key. `shown`: the secret as its owner gets
    it, once. `public`: what the owner of an ed25519 key verifies with.
    """

    key: bytes
    shown: str
    public: str | None


class Signer(Protocol):
    """One key of an endpoint."""

    def sign(self, signed: bytes) -> str:
        """One element of the header `webhook-signature`."""
        ...


class HmacSigner(NamedTuple):
    """`v1`."""

    key: bytes

    def sign(self, signed: bytes) -> str:
        return "v1," + base64.b64encode(hmac.digest(self.key, signed, "sha256")).decode()


class Ed25519Signer:
    """`v1a`."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    def sign(self, signed: bytes) -> str:
        return "v1a," + base64.b64encode(self._key.sign(signed)).decode()


def new_key(signature: Signature) -> SigningKey:
    """A random key."""
    if signature == "hmac":
        key = secrets.token_bytes(_HMAC_KEY_BYTES)
        return SigningKey(key, "whsec_" + base64.b64encode(key).decode(), None)
    seed = secrets.token_bytes(_ED25519_SEED_BYTES)
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    shown_public = "whpk_" + base64.b64encode(public).decode()
    return SigningKey(seed, "whsk_" + base64.b64encode(seed + public).decode(), shown_public)


def signer(signature: Signature, key: bytes) -> Signer:
    """Of a key that `new_key` made."""
    return HmacSigner(key) if signature == "hmac" else Ed25519Signer(key)


def signature_header(signers: Sequence[Signer], webhook_id: str, timestamp: int, body: bytes) -> str:
    """`webhook-signature`: one signature a key, separated by spaces. `timestamp`: seconds since 1970."""
    signed = b"%b.%d.%b" % (webhook_id.encode(), timestamp, body)
    return " ".join(one.sign(signed) for one in signers)
