"""What the caller of a read may see: drafts and archived products need a scope of their own."""

from collections.abc import Iterable

from fastapi import Request

from query_api.errors import NotAllowed
from shared.access.caller import may
from shared.access.scopes import Scope

EVERYBODYS = ("active",)
"""The statuses that everybody who may read products sees."""


def sees_all(request: Request) -> bool:
    """Whether the caller sees products that are not active; everybody does while access control is off."""
    return may(request.scope, Scope.PRODUCTS_READ_DRAFTS)


def require_statuses(request: Request, statuses: Iterable[str]) -> None:
    """Raises `NotAllowed` for a status that the caller does not see; an empty list would be wrong."""
    if not sees_all(request) and not set(EVERYBODYS).issuperset(statuses):
        raise NotAllowed(Scope.PRODUCTS_READ_DRAFTS)
