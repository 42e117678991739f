"""The table of a FastAPI application: what OpenAPI says of a route's security is what is asked of a request.

The framework's own route objects find the row, so that a path cannot mean one route here and another there.
"""

from collections.abc import Callable, Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Match, Route

from shared.access.guard import Guard
from shared.access.http.layer import AccessLayer, FindCaller, FindRow, Row
from shared.access.scopes import Scope as Right
from shared.ops.http.asgi import ASGIApp, Scope
from shared.ops.http.console_page import CONSOLE_PATH
from shared.ops.http.documentation import DOCS_PATH, OPENAPI_PATH

_BEARER = "bearer"
_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token of RFC 9068. Each operation names the scope that the token needs.",
}
_PAGES = (DOCS_PATH, CONSOLE_PATH)
_METHODS = frozenset({"get", "head", "post", "put", "patch", "delete"})


class RouteWithoutRow(Exception):
    """A route that says nothing about who may use it; the process does not start."""


def needs(scope: Right) -> dict[str, Any]:
    """The part of a route's `openapi_extra` that says which scope it needs."""
    return {"security": [{_BEARER: [str(scope)]}]}


def table_of(app: FastAPI) -> list[Row]:
    """Every route and method of the application. Raises `RouteWithoutRow`."""
    return [row for _, rows in _table(app) for row in rows.values()]


def framework_rows(app: FastAPI) -> FindRow:
    """Finds the row of a request; the application must have all its routes. Raises `RouteWithoutRow`."""
    table = list(_table(app))

    def find(scope: Scope) -> Row | None:
        for route, rows in table:
            if route.matches(scope)[0] is Match.FULL:
                scope["route"] = route  # for the metric and the log line of a refused request
                return rows[scope["method"]]
        return None

    return find


def protection(
    app: FastAPI, guard: Guard | None, caller_by_ticket: FindCaller | None = None
) -> Callable[[ASGIApp], ASGIApp]:
    """Puts access control before the application, or before a layer around it; nothing if it is off.

    Raises `RouteWithoutRow` in either case; the application must have all its routes.
    """
    find_row = framework_rows(app)
    return lambda inner: inner if guard is None else AccessLayer(inner, find_row, guard, caller_by_ticket)


def secure_document(document: dict[str, Any], *, is_guarded: bool) -> None:
    """Complete an OpenAPI document. While access control is off it must not say that a token is asked for."""
    operations = [
        operation
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in _METHODS
    ]
    if not is_guarded:
        for operation in operations:
            operation.pop("security", None)
        return
    document["components"].setdefault("securitySchemes", {})[_BEARER] = _SCHEME
    for operation in operations:
        responses = operation["responses"]
        known = responses.get("400", {}).get("headers", {})
        for status, description in (
            ("401", "No token, or one that is not accepted."),
            ("403", _needed(operation)),
        ):
            responses[status] = {
                "description": description,
                "headers": {
                    **known,
                    "WWW-Authenticate": {
                        "description": "What is missing (RFC 6750).",
                        "required": True,
                        "schema": {"type": "string"},
                    },
                },
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }


def _needed(operation: dict[str, Any]) -> str:
    scope = operation["security"][0][_BEARER][0]
    return f"The token lacks the scope {scope}, or another one that this request needs."


def _table(app: FastAPI) -> Iterable[tuple[Route, dict[str, Row]]]:
    for route in app.routes:
        if not isinstance(route, Route):
            raise RouteWithoutRow(f"{route!r} is no plain route")
        right = _right_of(route)
        yield route, {method: Row(method, route.path, right) for method in sorted(route.methods or ())}


def _right_of(route: Route) -> Right | None:
    if isinstance(route, APIRoute):
        match (route.openapi_extra or {}).get("security"):
            case [{"bearer": [scope]}]:
                return Right(scope)
    elif route.path == OPENAPI_PATH or _is_of_a_page(route.path):
        return None  # the description of the API and programs for browsers: the same for everybody
    raise RouteWithoutRow(
        f"{', '.join(sorted(route.methods or ()))} {route.path} does not say which scope it needs"
    )


def _is_of_a_page(path: str) -> bool:
    return any(path == page or path.startswith(f"{page}/") for page in _PAGES)
