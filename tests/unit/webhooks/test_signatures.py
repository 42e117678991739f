"""Keys and signatures of Standard Webhooks, compared with its example and its own library; sealed keys."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook

from shared.ops.secret import Secret
from shared.webhooks.sealed_keys import KeyIsSealed, SealedKeys
from shared.webhooks.signatures import new_key, signature_header, signer

ID, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'


def test_a_signature_is_that_of_the_specification() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    header = signature_header([signer("hmac", key)], ID, TIMESTAMP, BODY)
    assert header == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_its_library_accepts_what_either_key_of_two_signs() -> None:
    keys = [new_key("hmac"), new_key("hmac")]
    now = int(datetime.now(UTC).timestamp())
    signature = signature_header([signer("hmac", each.key) for each in keys], ID, now, BODY)
    headers = {"webhook-id": ID, "webhook-timestamp": str(now), "webhook-signature": signature}
    for key in keys:
        assert key.shown is not None
        assert Webhook(key.shown).verify(BODY, headers) == {"test": 2432232314}
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(new_key("hmac").shown or "").verify(BODY, headers)


def test_an_ed25519_message_is_verified_with_the_public_key_alone() -> None:
    key = new_key("ed25519")
    assert (key.shown, key.public is None) == (None, False)
    version, _, encoded = signature_header([signer("ed25519", key.key)], ID, TIMESTAMP, BODY).partition(",")
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(str(key.public).removeprefix("whpk_")))
    signed = f"{ID}.{TIMESTAMP}.".encode() + BODY
    assert version == "v1a"
    public.verify(base64.b64decode(encoded), signed)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(encoded), signed + b" ")


def test_keys_are_random_and_long_enough() -> None:
    keys = {new_key("hmac").key for _ in range(10)}
    assert len(keys) == 10
    assert {len(key) for key in keys} == {32}


def test_a_sealed_key_is_opened_by_the_text_that_sealed_it() -> None:
    sealed = SealedKeys(Secret("first")).seal(b"a key")
    assert "a key" not in sealed
    assert SealedKeys(Secret("first")).open(sealed) == b"a key"
    with pytest.raises(KeyIsSealed):
        SealedKeys(Secret("second")).open(sealed)


def test_after_a_rotation_the_first_text_seals_and_all_open() -> None:
    old, both, new = (SealedKeys(Secret(text)) for text in ("old", "new, old", "new"))
    assert both.open(old.seal(b"a key")) == b"a key"
    sealed = both.seal(b"a key")
    assert new.open(sealed) == b"a key"
    with pytest.raises(KeyIsSealed):
        old.open(sealed)
