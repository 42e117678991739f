"""The port through which a token's verifier gets public keys, and what a document of keys must be.

A key comes from a configured source alone: what a token says of its own key (`jku`, `x5u`, `jwk`, `x5c`) is
ignored, as RFC 8725 (3.10) advises.
"""

import warnings
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from shared.access.errors import InvalidKeys

PublicKey = RSAKey | ECKey | OKPKey
KEYS_BYTES_MAX = 262_144
KEYS_MAX = 100
RSA_BITS_MIN = 2048
# Others agree on keys (X25519); they sign nothing.
_SIGNING_CURVES = ("Ed25519", "Ed448")
_PEM = b"-----BEGIN "
_PEM_TYPES: tuple[type[PublicKey], ...] = (RSAKey, ECKey, OKPKey)


class KeySource(Protocol):
    """Public keys by their ids."""

    async def find(self, kid: str | None) -> PublicKey | None:
        """The key with this id; None: no key has this id. Without an id, the only key there is.

        Raises `KeysUnavailable` if nobody can tell.
        """
        ...

    async def check(self) -> None:
        """Raises `KeysUnavailable` if there are no keys that count."""
        ...


def key_of(keys: Mapping[str, PublicKey], kid: str | None) -> PublicKey | None:
    """The rule of `find`: a token without a key id is accepted only if there is no choice."""
    if kid is not None:
        return keys.get(kid)
    return next(iter(keys.values())) if len(keys) == 1 else None


def read_keys(document: bytes) -> dict[str, PublicKey]:
    """The keys of a JWK Set (RFC 7517) or of a PEM file, by id; a key without an id has its thumbprint (RFC
    7638).

    Keys for other uses are left out, also shared secrets, which must never check a token here. Raises
    `InvalidKeys` if none is left, for an id that occurs twice, and for private keys: whoever reads such a
    file can make tokens.
    """
    if len(document) > KEYS_BYTES_MAX:
        raise InvalidKeys(f"has more than {KEYS_BYTES_MAX} bytes")
    found = _pem_keys(document) if document.lstrip().startswith(_PEM) else _jwk_keys(document)
    keys: dict[str, PublicKey] = {}
    for key in found:
        if key.is_private:
            raise InvalidKeys("has a private key; only public keys belong here")
        key.ensure_kid()
        assert key.kid is not None
        if key.kid in keys:
            raise InvalidKeys("has two keys with the same id")
        keys[key.kid] = key
    if not keys:
        raise InvalidKeys("has no public key for signatures (RSA from 2048 bits on, EC or OKP)")
    return keys


def _jwk_keys(document: bytes) -> list[PublicKey]:
    try:
        decoded = msgspec.json.decode(document)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InvalidKeys("is neither JSON nor PEM") from error
    entries = decoded.get("keys") if isinstance(decoded, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InvalidKeys('is no JWK Set: it has no list "keys"')
    if len(entries) > KEYS_MAX:
        raise InvalidKeys(f"has more than {KEYS_MAX} keys")
    return [key for entry in entries if (key := _jwk(entry)) is not None]


def _jwk(entry: dict[str, Any]) -> PublicKey | None:
    """None for a key that is not for signatures, or that we cannot read: the others still count."""
    operations = entry.get("key_ops", ["verify"])
    if entry.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of small keys, which `_usable` leaves out
            key = JWKRegistry.import_key(entry)
            key.ensure_kid()
            return _usable(key)
    except (JoseError, ValueError, TypeError, ArithmeticError, UnsupportedAlgorithm):
        return None


def _pem_keys(document: bytes) -> list[PublicKey]:
    if b"PRIVATE KEY-----" in document:
        raise InvalidKeys("has a private key; only public keys belong here")
    keys = []
    for text in document.strip().split(_PEM)[1:]:
        try:
            native: Any = load_pem_public_key(_PEM + text)
            kind = next(each for each in _PEM_TYPES if each.binding.check_cryptography_key(native))
        except (ValueError, TypeError, StopIteration, UnsupportedAlgorithm) as error:
            raise InvalidKeys("has a PEM block that is no public key") from error
        if (key := _usable(kind(native, native))) is not None:
            keys.append(key)
    return keys


def _usable(key: Any) -> PublicKey | None:
    if not isinstance(key, PublicKey):
        return None
    if isinstance(key, RSAKey) and key.public_key.key_size < RSA_BITS_MIN:
        return None
    if isinstance(key, OKPKey) and key.curve_name not in _SIGNING_CURVES:
        return None
    return key
