"""`python -m deploy.development_token SCOPE...`: a token for docker-compose.yml and for the local overlay.

Both accept the key that is made here, and anybody can make it: like their passwords it is for one machine,
and for nothing that others can reach. The file needs nothing but joserfc, so that it also runs in our images.
"""

import hashlib
import json
import sys
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OKPKey

ISSUER, AUDIENCE = "development-only", "product-catalogue"
SUBJECT = "developer"
TOKEN_SECONDS = 8 * 3600
_SCOPES = (
    "products:read products:read-drafts products:audit products:write products:publish products:import "
    "events:read ops:read ops:write"
)


def signing_key() -> OKPKey:
    """The same key on every machine."""
    seed = hashlib.sha256(b"product catalogue, development only").digest()
    raw = Ed25519PrivateKey.from_private_bytes(seed)
    return OKPKey(raw, raw, {"kid": ISSUER})


def public_keys() -> str:
    """AUTH_PUBLIC_KEYS of both."""
    return json.dumps({"keys": [signing_key().as_dict(private=False)]}, separators=(",", ":"), sort_keys=True)


def token(scopes: str) -> str:
    """With these scopes, for eight hours."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": SUBJECT, "client_id": SUBJECT, "scope": scopes}
    head = {"alg": "Ed25519", "typ": "at+jwt", "kid": ISSUER}
    return jwt.encode(head, {**claims, "iat": now, "exp": now + TOKEN_SECONDS}, signing_key(), ["Ed25519"])


if __name__ == "__main__":
    print(token(" ".join(sys.argv[1:]) or _SCOPES))
