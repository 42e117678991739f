"""Which keys of a document count."""

import json
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk
from joserfc.errors import SecurityWarning

from shared.access.errors import InvalidKeys
from shared.access.keys import KEYS_BYTES_MAX, KEYS_MAX, read_keys
from tests.tokens import public_document, signing_key


def _public(kid: str, **changed: Any) -> dict[str, Any]:
    return {**signing_key(kid).as_dict(private=False), **changed}


def _document(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def _small_key() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return jwk.generate_key("RSA", 1024, {"kid": "small"}).as_dict(private=False)  # type: ignore[return-value]


SHARED_SECRET = {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ", "kid": "secret"}
NOT_COUNTED = {
    "for encryption": _public("second", use="enc"),
    "that may not verify": {**_public("second"), "key_ops": ["sign"]},
    "of a shared secret": SHARED_SECRET,
    "of an unknown kind": {"kty": "PQ", "kid": "later"},
    "that is too small": _small_key(),
    "with a member of the wrong type": _public("second", n=7),
    "with operations that are no list": {**_public("second"), "key_ops": 7},
    "with an id that is no text": {**_public("second"), "kid": ["a"]},
    "on a curve for something else": {"kty": "OKP", "crv": "X25519", "x": "A" * 43, "kid": "x"},
    "with a modulus of zero": _public("second", n="AA"),
    "without its modulus": {"kty": "RSA", "kid": "x", "e": "AQAB"},
    "on no curve": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "x"},
}


@pytest.mark.parametrize("why", NOT_COUNTED)
def test_a_key_that_does_not_count_leaves_the_others(why: str) -> None:
    assert list(read_keys(_document(NOT_COUNTED[why], _public("first")))) == ["first"]
    with pytest.raises(InvalidKeys, match="no public key"):
        read_keys(_document(NOT_COUNTED[why]))


def test_a_key_without_an_id_has_its_thumbprint() -> None:
    named = _public("first")
    del named["kid"]
    assert list(read_keys(_document(named))) == [signing_key("first").thumbprint()]


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "Ed25519"])
def test_a_pem_file_may_hold_several_keys(algorithm: str) -> None:
    one, two = signing_key("first", algorithm), signing_key("second", algorithm)
    document = b"\n" + one.as_pem(private=False) + two.as_pem(private=False)
    assert list(read_keys(document)) == [one.thumbprint(), two.thumbprint()]


@pytest.mark.parametrize(
    "document",
    [
        signing_key("first").as_pem(private=True),
        _document(signing_key("first").as_dict(private=True)),
        signing_key("first").as_pem(private=False) + signing_key("second").as_pem(private=True),
    ],
)
def test_a_private_key_is_refused_because_its_readers_could_make_tokens(document: bytes) -> None:
    with pytest.raises(InvalidKeys, match="private key"):
        read_keys(document)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "neither JSON nor PEM"),
        (b"\xff", "neither JSON nor PEM"),
        (b"[" * 10_000, "neither JSON nor PEM"),
        (b"[]", "no JWK Set"),
        (b'{"keys": {}}', "no JWK Set"),
        (b'{"keys": [7]}', "no JWK Set"),
        (_document(_public("first"), _public("first")), "same id"),
        (_document(*[SHARED_SECRET] * (KEYS_MAX + 1)), "more than 100 keys"),
        (public_document("first") + b" " * KEYS_BYTES_MAX, "more than 262144 bytes"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no public key"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no public key"),
    ],
)
def test_a_document_that_is_not_usable_says_why(document: bytes, reason: str) -> None:
    with pytest.raises(InvalidKeys, match=reason):
        read_keys(document)


_texts = ["RSA", "EC", "OKP", "oct", "P-256", "Ed25519", "AQAB", "AA", "sig", "verify", ""]
_words = st.sampled_from([*_texts, *_public("first").values()])
_members = st.dictionaries(
    st.sampled_from(["kty", "crv", "n", "e", "x", "y", "k", "d", "p", "kid", "use", "key_ops", "alg", "x5c"]),
    st.one_of(_words, st.integers(), st.none(), st.lists(_words, max_size=2), st.floats(), st.booleans()),
    max_size=8,
)


@given(st.lists(_members, max_size=4))
def test_whatever_an_issuer_publishes_is_keys_or_refused(entries: list[dict[str, Any]]) -> None:
    try:
        keys = read_keys(json.dumps({"keys": entries}).encode())
    except InvalidKeys:
        return
    assert all(not key.is_private and key.kid == kid for kid, key in keys.items())
