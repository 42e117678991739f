"""A port with a route that says nothing about its scope does not start, also while access control is off."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import Mount, WebSocketRoute

from shared.access.guard import Guard
from shared.access.http.framework import RouteWithoutRow, needs, protection
from shared.access.http.operations import protect_operations
from shared.access.scopes import Scope
from shared.ops.health import Health
from shared.ops.http.asgi import Receive, Send, respond
from shared.ops.http.asgi import Scope as AsgiScope
from shared.ops.http.operations import operations_app
from tests.guards import guard

GUARDS = pytest.mark.parametrize("made", [guard, lambda: None], ids=["with access control", "without"])
MakeGuard = Callable[[], Guard | None]
ACT = ("POST", "/act")


def _nothing() -> None:
    """A route's function."""


async def _act(scope: AsgiScope, _: Receive, send: Send) -> None:
    await respond(scope, send, 200, "application/json", b"{}")


def _api(add: Callable[[FastAPI], Any]) -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.add_api_route("/good", _nothing, openapi_extra=needs(Scope.PRODUCTS_READ))
    add(app)
    return app


@GUARDS
@pytest.mark.parametrize(
    "add",
    [
        lambda app: app.add_api_route("/v1/more", _nothing),
        lambda app: app.add_api_route("/v1/more", _nothing, openapi_extra={"security": []}),
        lambda app: app.add_api_route("/v1/more", _nothing, openapi_extra={"security": [{"bearer": []}]}),
        lambda app: app.add_api_route("/docsmore", _nothing),
        lambda app: app.add_route("/more", _nothing),
        lambda app: app.router.routes.append(WebSocketRoute("/more", _nothing)),
        lambda app: app.router.routes.append(Mount("/more", app=_act)),
    ],
    ids=["nothing said", "no scheme", "no scope", "like the docs", "plain", "web socket", "mounted"],
)
def test_an_api_with_a_route_without_a_row_does_not_start(
    add: Callable[[FastAPI], Any], made: MakeGuard
) -> None:
    with pytest.raises(RouteWithoutRow):
        protection(_api(add), made())


@GUARDS
def test_a_scope_that_does_not_exist_is_no_row(made: MakeGuard) -> None:
    extra = {"security": [{"bearer": ["products:everything"]}]}
    with pytest.raises(ValueError, match="products:everything"):
        protection(_api(lambda app: app.add_api_route("/v1/more", _nothing, openapi_extra=extra)), made())


@GUARDS
def test_an_api_with_a_row_for_each_route_starts(made: MakeGuard) -> None:
    protection(_api(lambda _: None), made())


@GUARDS
@pytest.mark.parametrize(
    "scopes",
    [
        {},
        {ACT: Scope.OPS_WRITE, ("POST", "/gone"): Scope.OPS_WRITE},
        {("GET", "/act"): Scope.OPS_READ},
        {ACT: Scope.OPS_WRITE, ("GET", "/livez"): Scope.OPS_READ},
    ],
    ids=["no row", "a row without a route", "another method", "a public route"],
)
def test_an_operations_port_whose_table_differs_from_its_routes_does_not_start(
    scopes: dict[tuple[str, str], Scope], made: MakeGuard
) -> None:
    app = operations_app(Health("any"), {ACT: _act})
    with pytest.raises(ValueError, match="table of scopes differ"):
        protect_operations(app, scopes, made())


@GUARDS
def test_an_operations_port_with_a_row_for_each_route_starts(made: MakeGuard) -> None:
    protect_operations(operations_app(Health("any"), {ACT: _act}), {ACT: Scope.OPS_WRITE}, made())
