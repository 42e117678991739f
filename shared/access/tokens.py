"""Verifies access tokens in the form of RFC 9068: signature, type, issuer, audience, and times.

joserfc does the cryptography. Which key and which algorithm may count is decided here, before a signature is
looked at (RFC 8725, 3.1): the token's own word on both is only compared with what is configured.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from joserfc import errors as jose
from joserfc import jwt
from joserfc.jws import JWSRegistry
from joserfc.jws import extract_compact as read_parts

from shared.access.caller import Caller
from shared.access.errors import InvalidToken
from shared.access.keys import KeySource, PublicKey
from shared.access.scopes import Scope
from shared.ops.http.request_context import ANONYMOUS

SUBJECT_CHARACTERS_MAX = 255
KEY_ID_CHARACTERS_MAX = 255
_TYPES = ("at+jwt", "application/at+jwt")
# Far beyond every date; a greater number may not fit into a float.
_SECONDS_MAX = 2**53
_known_scopes = {str(scope): scope for scope in Scope}
_claim_names = {"exp": "expiry", "nbf": "start of validity", "iat": "time of issue", "sub": "subject"}
_claim_names |= {"iss": "issuer", "aud": "audience"}


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must be. `leeway_seconds` is how far the issuer's clock may differ from ours."""

    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    leeway_seconds: float
    token_bytes_max: int


class _Algorithms(JWSRegistry):
    """Exactly the configured algorithms: joserfc's own list allows others, and warns of the name EdDSA."""

    max_header_length = 65_536  # `token_bytes_max` limits the whole

    def get_alg(self, name: str) -> Any:
        if not self.allowed or name not in self.allowed:
            raise jose.UnsupportedAlgorithmError
        return self.algorithms[name]


class TokenVerifier:
    """Tells the caller of a token. `clock` gives Unix seconds."""

    def __init__(self, keys: KeySource, rules: TokenRules, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._rules = rules
        self._clock = clock
        self._algorithms = _Algorithms(algorithms=rules.algorithms, strict_check_header=False)

    async def check(self) -> None:
        """Raises `KeysUnavailable` if no token can be verified now."""
        await self._keys.check()

    async def verify(self, token: bytes) -> Caller:
        """The caller. Raises `InvalidToken`, or `KeysUnavailable` if the token cannot be checked now."""
        if len(token) > self._rules.token_bytes_max:
            raise InvalidToken(f"the token has more than {self._rules.token_bytes_max} bytes")
        kid = self._checked_head(token)
        key = await self._keys.find(kid)
        if key is None:
            raise InvalidToken("no key of the issuer has the token's key id")
        return caller_of_claims(self._claims(token, key), self._rules, self._clock())

    def _checked_head(self, token: bytes) -> str | None:
        """The id of the key, from a head that is acceptable in all else."""
        try:
            head = read_parts(token, registry=self._algorithms).protected
        except (jose.JoseError, ValueError, TypeError, RecursionError, AttributeError) as error:
            raise InvalidToken("the token is not a JWT") from error
        if not isinstance(head, dict):
            raise InvalidToken("the token is not a JWT")
        if head.get("alg") not in self._rules.algorithms:
            raise InvalidToken("the token's algorithm is not allowed")
        if "crit" in head or "b64" in head:
            raise InvalidToken("the token asks for an extension that is not supported")
        kind = head.get("typ")
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise InvalidToken("the token is not an access token (typ at+jwt)")
        kid = head.get("kid")
        if kid is not None and not (isinstance(kid, str) and len(kid) <= KEY_ID_CHARACTERS_MAX):
            raise InvalidToken("the token's key id is malformed")
        return kid

    def _claims(self, token: bytes, key: PublicKey) -> dict[str, Any]:
        """What the signature proves."""
        try:
            return jwt.decode(token, key, registry=self._algorithms).claims
        except (jose.JoseError, ValueError, TypeError, RecursionError) as error:
            raise InvalidToken("the token's signature does not match") from error


def caller_of_claims(claims: dict[str, Any], rules: TokenRules, now: float) -> Caller:
    """The caller, if the claims of a proven token hold at `now` (Unix seconds). Raises `InvalidToken`."""
    registry = jwt.JWTClaimsRegistry(
        now=int(now),
        leeway=int(rules.leeway_seconds),
        iss={"essential": True, "value": rules.issuer},
        aud={"essential": True, "value": rules.audience},
        exp={"essential": True},
        sub={"essential": True},
    )
    try:
        registry.validate(claims)
    except jose.JoseError as error:
        _refuse(error)
    client_id = claims.get("client_id")
    return Caller(
        _subject(claims["sub"]),
        _scopes(claims.get("scope", "")),
        client_id if isinstance(client_id, str) else None,
        float(min(claims["exp"], _SECONDS_MAX)),
    )


def _refuse(error: jose.JoseError) -> NoReturn:
    if isinstance(error, jose.ExpiredTokenError):
        raise InvalidToken("the token has expired") from error
    claim = getattr(error, "claim", "").split(",")[0]
    name = _claim_names.get(claim, "content")
    if isinstance(error, jose.MissingClaimError):
        raise InvalidToken(f"the token has no {name} ({claim})") from error
    if claim == "nbf" and "not yet" in error.description:
        raise InvalidToken("the token is not valid yet") from error
    raise InvalidToken(f"the token's {name} ({claim}) is not accepted here") from error


def _subject(subject: str) -> str:
    """It becomes the actor of events and log lines, so it is short, and has no control characters."""
    if subject == ANONYMOUS:
        raise InvalidToken("the token's subject (sub) is reserved for callers without a token")
    if not 1 <= len(subject) <= SUBJECT_CHARACTERS_MAX or not subject.isprintable():
        raise InvalidToken(
            f"the token's subject (sub) is not 1 to {SUBJECT_CHARACTERS_MAX} printable characters"
        )
    return subject


def _scopes(claim: Any) -> frozenset[Scope]:
    """The scopes that we know; an issuer may give others for other services."""
    if not isinstance(claim, str):
        raise InvalidToken("the token's scope is not a text")
    return frozenset(_known_scopes[name] for name in claim.split(" ") if name in _known_scopes)
