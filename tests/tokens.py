"""Signed access tokens for tests: an issuer's keys, good tokens, and every way in which one can be bad."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from functools import cache
from typing import Any

from joserfc import jwk, jws

from shared.access.keys import PublicKey, read_keys
from shared.access.scopes import Scope
from shared.access.tokens import TokenRules

ISSUER, AUDIENCE, SUBJECT = "https://issuer.test", "product-catalogue", "editor-7"
RULES = TokenRules(ISSUER, AUDIENCE, ("RS256", "PS256", "ES256", "EdDSA", "Ed25519"), 30, 8192)
SIGNABLE = [*RULES.algorithms, "HS256", "none", "RS512"]


def signing_key(kid: str, algorithm: str = "RS256") -> Any:
    """A private key; the same one whenever a test asks for this id, because RSA keys are slow to make."""
    return _made_once(kid, algorithm)


@cache
def _made_once(kid: str, algorithm: str) -> Any:
    if algorithm in ("EdDSA", "Ed25519"):
        return jwk.generate_key("OKP", "Ed25519", {"kid": kid})
    if algorithm == "ES256":
        return jwk.generate_key("EC", "P-256", {"kid": kid})
    return jwk.generate_key("RSA", 2048, {"kid": kid})


def public_document(*kids: str, algorithm: str = "RS256") -> bytes:
    """The JWK Set with the public keys of these ids."""
    keys = [signing_key(kid, algorithm).as_dict(private=False) for kid in kids]
    return json.dumps({"keys": keys}).encode()


def public_keys(*kids: str, algorithm: str = "RS256") -> dict[str, PublicKey]:
    return read_keys(public_document(*kids, algorithm=algorithm))


def claims(scopes: Iterable[Scope | str] = (), **changed: Any) -> dict[str, Any]:
    """The claims of a good token; a changed one that is None is left out."""
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": SUBJECT,
        "client_id": "tests",
        "iat": now,
        "exp": now + 3600,
        "scope": " ".join(scopes),
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def token(
    scopes: Iterable[Scope | str] = (),
    *,
    kid: str = "first",
    algorithm: str = "RS256",
    key: Any = None,
    head: dict[str, Any] | None = None,
    **changed: Any,
) -> str:
    """A token, signed by the key of this id or by `key`. `head` changes its head; None drops a member."""
    members = {"alg": algorithm, "typ": "at+jwt", "kid": kid, **(head or {})}
    return jws.serialize_compact(
        {name: value for name, value in members.items() if value is not None},
        json.dumps(claims(scopes, **changed)),
        signing_key(kid, algorithm) if key is None else key,
        registry=_Anything(algorithms=SIGNABLE, strict_check_header=False),
    )


def _signed_with_the_public_key(scopes: Iterable[str]) -> str:
    """The attack of RFC 8725, 2.1; by hand, because the library refuses to take a public key for a secret."""
    secret = signing_key("first").as_pem(private=False)
    head = urlsafe_b64encode(b'{"alg":"HS256","typ":"at+jwt","kid":"first"}').rstrip(b"=").decode()
    unsigned = f"{head}.{token(scopes).split('.')[1]}"
    signature = hmac.digest(secret, unsigned.encode(), "sha256")
    return f"{unsigned}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


class _Anything(jws.JWSRegistry):
    """Signs with algorithms and heads that nobody should use, without a warning."""

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]

    def check_header(self, header: dict[str, Any]) -> None:
        """Nothing."""


def bad_tokens(scopes: Iterable[Scope | str] = ()) -> dict[str, str]:
    """Tokens that no port may accept, by what is wrong. Only in that they differ from a good one."""
    scopes, now = tuple(scopes), int(time.time())
    secret = jwk.OctKey.import_key("a secret of enough length")
    head, body, signature = token(scopes).split(".")
    return {
        "expired": token(scopes, exp=now - 3600),
        "not yet valid": token(scopes, nbf=now + 3600),
        "issued in the future": token(scopes, iat=now + 3600),
        "of another issuer": token(scopes, iss="https://else.test"),
        "for another audience": token(scopes, aud="another-service"),
        "without an audience": token(scopes, aud=None),
        "without an expiry": token(scopes, exp=None),
        "without a subject": token(scopes, sub=None),
        "without an issuer": token(scopes, iss=None),
        "of another type": token(scopes, head={"typ": "JWT"}),
        "without a type": token(scopes, head={"typ": None}),
        "with an unknown key id": token(scopes, kid="unheard-of"),
        "signed by another key": token(scopes, key=signing_key("another")),
        "with an algorithm that is not allowed": token(scopes, algorithm="RS512"),
        "signed with the public key as a secret": _signed_with_the_public_key(scopes),
        "not signed": token(scopes, algorithm="none", key=secret),
        "with its own key in its head": token(
            scopes,
            kid="inside",
            head={"jwk": signing_key("inside").as_dict(private=False), "jku": "https://evil.test/keys"},
        ),
        "with a changed body": f"{head}.{token(scopes, sub='admin').split('.')[1]}.{signature}",
        "cut off": f"{head}.{body}",
        "garbage": "garbage",
        "too large": token(scopes, padding="a" * 9000),
    }
