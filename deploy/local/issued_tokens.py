"""Access tokens (RFC 9068) of the local issuer, for the roles of a development machine.

The key and the clients' secrets are made at the first start and kept, so that tokens outlive a restart.
Whoever can read these files can be anybody: they are for one machine, and for development.
"""

import hmac
import json
import os
import secrets
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from shared.access.scopes import Scope

AUDIENCE = "product-catalogue"
ALGORITHM = "ES256"
TOKEN_FILE_SECONDS = 8 * 3600
"""How long the tokens in files live; the issuer writes new ones every hour."""

_READ = (Scope.PRODUCTS_READ,)
_EDIT = (*_READ, Scope.PRODUCTS_READ_DRAFTS, Scope.PRODUCTS_WRITE)
_OPERATE = (Scope.OPS_READ, Scope.OPS_WRITE)
ROLES: Mapping[str, tuple[Scope, ...]] = {
    "reader": _READ,
    "editor": _EDIT,
    "publisher": (*_EDIT, Scope.PRODUCTS_PUBLISH),
    "importer": (*_EDIT, Scope.PRODUCTS_PUBLISH, Scope.PRODUCTS_IMPORT),
    "auditor": (*_READ, Scope.PRODUCTS_READ_DRAFTS, Scope.PRODUCTS_AUDIT),
    "subscriber": (*_READ, Scope.EVENTS_READ),
    "operator": _OPERATE,
    "admin": tuple(Scope),
}
"""Each role is a client; its name is the client id and the subject of its tokens."""


@dataclass(frozen=True)
class TokenMaker:
    """Signs tokens of one issuer. `clock` gives Unix seconds."""

    issuer: str
    key: ECKey
    client_secrets: Mapping[str, str]
    clock: Callable[[], float] = time.time

    def knows(self, client_id: str, secret: str) -> bool:
        """Whether a client has shown its secret."""
        expected = self.client_secrets.get(client_id, "")
        return hmac.compare_digest(expected.encode(), secret.encode()) and bool(expected)

    def token(self, client_id: str, scopes: Collection[str], seconds: int) -> str:
        """A token of a known client."""
        now = int(self.clock())
        claims = {
            "iss": self.issuer, "aud": AUDIENCE, "sub": client_id, "client_id": client_id,
            "iat": now, "exp": now + seconds, "jti": str(uuid.uuid4()), "scope": " ".join(scopes),
        }  # fmt: skip
        header = {"typ": "at+jwt", "alg": ALGORITHM, "kid": self.key.kid}
        return jwt.encode(header, claims, self.key, algorithms=[ALGORITHM])

    def public_keys(self) -> dict[str, Any]:
        """The JWK Set (RFC 7517)."""
        return {"keys": [{**self.key.as_dict(private=False), "use": "sig", "alg": ALGORITHM}]}

    def write_tokens(self, folder: Path) -> None:
        """A token of each role, in a file with its name."""
        for role, scopes in ROLES.items():
            write_private(folder / role, self.token(role, scopes, TOKEN_FILE_SECONDS))


def token_maker(issuer: str, folder: Path) -> TokenMaker:
    """With the key and secrets in `folder`, which are made if they are missing."""
    key_file, secrets_file = folder / "key.json", folder / "clients.json"
    if not key_file.exists():
        made = ECKey.generate_key("P-256", auto_kid=True)
        write_private(key_file, json.dumps(made.as_dict(private=True)))
    known = json.loads(secrets_file.read_text()) if secrets_file.exists() else {}
    kept = {role: known.get(role) or secrets.token_urlsafe(24) for role in ROLES}
    if kept != known:
        write_private(secrets_file, json.dumps(kept, indent=2))
    return TokenMaker(issuer, ECKey.import_key(json.loads(key_file.read_text())), kept)


def write_private(path: Path, text: str) -> None:
    """In one step: a reader sees the old text or the new one. Only this user can read it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    part.replace(path)
