"""The caller of a request, as its verified token describes it."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from shared.access.scopes import Scope

_SCOPE_KEY = "catalogue.caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """`subject` is the token's `sub`: 1 to 255 printable characters. `expires_at` is in Unix seconds."""

    subject: str
    scopes: frozenset[Scope]
    client_id: str | None
    expires_at: float

    def may(self, scope: Scope) -> bool:
        """Whether the token gives this right."""
        return scope in self.scopes


def keep_caller(asgi_scope: MutableMapping[str, Any], caller: Caller) -> None:
    """Keep the caller in the request's ASGI scope, for `caller_in`."""
    asgi_scope[_SCOPE_KEY] = caller


def caller_in(asgi_scope: Mapping[str, Any]) -> Caller | None:
    """The caller of the request; None while access control is off: then every caller is anonymous.

    None also on a public route, which asks for no token.
    """
    caller: Caller | None = asgi_scope.get(_SCOPE_KEY)
    return caller


def may(asgi_scope: Mapping[str, Any], scope: Scope) -> bool:
    """Whether the caller of the request has this right; while access control is off everybody has."""
    caller = caller_in(asgi_scope)
    return caller is None or caller.may(scope)
