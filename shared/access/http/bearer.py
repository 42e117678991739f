"""The Authorization header of RFC 6750, and the answers to a request that is not let through.

No answer tells whether a product exists: it depends on the token and the route alone.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote_plus

from shared.access.caller import Caller
from shared.access.errors import AccessError, InvalidToken, KeysUnavailable
from shared.access.guard import Guard
from shared.access.scopes import Scope
from shared.ops.http.problem import Problem

REALM = "product-catalogue"
_SCHEME = b"bearer "
_PARAMETER = "access_token"
# RFC 6750, 2.1: b64token.
_token_text = re.compile(rb"[A-Za-z0-9\-._~+/]+=*")


class NoToken(AccessError):
    """The request has no bearer token."""


class MalformedAuthorization(AccessError):
    """The request has several tokens, or one in a place or form that is not supported."""


class Refusal(NamedTuple):
    """The answer, and its WWW-Authenticate header (RFC 9110, 11.6.1)."""

    problem: Problem
    challenge: str | None

    @property
    def headers(self) -> dict[str, str]:
        """For the answer."""
        return {} if self.challenge is None else {"www-authenticate": self.challenge}


def bearer_token(headers: Iterable[tuple[bytes, bytes]], query_string: bytes = b"") -> bytes:
    """The token. Raises `NoToken` or `MalformedAuthorization`."""
    if query_string and _has_token(query_string):
        raise MalformedAuthorization("a token in the address ends in logs; send it in Authorization")
    values = [value for name, value in headers if name == b"authorization"]
    if not values:
        raise NoToken
    if len(values) > 1:
        raise MalformedAuthorization("Authorization is given more than once")
    return token_of(values[0])


def known_caller(guard: Guard, headers: Iterable[tuple[bytes, bytes]]) -> Caller | None:
    """The caller if the request has one Authorization header, with a token that was verified before.

    For the hot read, which cannot wait for keys, and leaves everything else to the application.
    """
    token = _only_token(headers)
    return None if token is None else guard.known(token)


def was_accepted(guard: Guard, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the request has one Authorization header, with a token that was accepted before."""
    token = _only_token(headers)
    return token is not None and guard.was_accepted(token)


def _only_token(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    values = [value for name, value in headers if name == b"authorization"]
    return values[0][7:].strip(b" ") if len(values) == 1 and values[0][:7].lower() == _SCHEME else None


def token_of(authorization: bytes) -> bytes:
    """The token in one header's value. Raises `NoToken` or `MalformedAuthorization`."""
    if authorization[:7].lower() != _SCHEME:
        if authorization.strip().lower() == b"bearer":
            raise MalformedAuthorization("Authorization has no token after Bearer")
        raise NoToken
    token = authorization[7:].strip(b" ")
    if _token_text.fullmatch(token) is None:
        raise MalformedAuthorization("the token in Authorization has other characters than tokens have")
    return token


def refusal(error: AccessError) -> Refusal:
    """The answer to a request whose caller is not known."""
    match error:
        case NoToken():
            detail = "send an access token: Authorization: Bearer ..."
            return Refusal(Problem(401, "token-required", "A token is required", detail), _challenge())
        case MalformedAuthorization():
            problem = Problem(400, "malformed-authorization", "Malformed Authorization", str(error))
            return Refusal(problem, _challenge("invalid_request", str(error)))
        case InvalidToken(reason=reason):
            problem = Problem(401, "invalid-token", "The token is not accepted", reason)
            return Refusal(problem, _challenge("invalid_token", reason))
        case KeysUnavailable():
            detail = "the issuer's keys cannot be had now; the token was not checked"
            return Refusal(Problem(503, "keys-unavailable", "Tokens cannot be checked", detail), None)
        case _:
            raise error


def scope_refusal(scope: Scope) -> Refusal:
    """The answer to a caller whose token lacks a scope."""
    detail = f"the token needs the scope {scope}"
    problem = Problem(
        403,
        "insufficient-scope",
        "The token does not allow this",
        detail,
        extensions={"required_scope": str(scope)},
    )
    return Refusal(problem, _challenge("insufficient_scope", detail, scope))


def _challenge(error: str | None = None, description: str = "", scope: Scope | None = None) -> str:
    """Without an error code for a request without a token, as RFC 6750 (3.1) says."""
    parts = [f'Bearer realm="{REALM}"']
    if error is not None:
        parts += [f'error="{error}"', f'error_description="{description}"']
    if scope is not None:
        parts.append(f'scope="{scope}"')
    return ", ".join(parts)


def _has_token(query_string: bytes) -> bool:
    names = (part.partition(b"=")[0] for part in query_string.split(b"&"))
    return any(unquote_plus(name.decode("latin-1")) == _PARAMETER for name in names)
