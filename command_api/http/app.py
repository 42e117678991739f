"""The HTTP application: routes, problems for every error, the OpenAPI document."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from command_api.http.answers import WriteApi
from command_api.http.light.parts import LightParts, light_parts
from command_api.http.light.protocol import LightCommandProtocol
from command_api.http.openapi.endpoints import component_schemas
from command_api.http.openapi.named_bodies import name_bodies
from command_api.http.problems import EXPECTED_ERRORS, HttpProblem, error_response
from command_api.http.routes import add_write_routes
from shared.access.guard import Guard
from shared.access.http.framework import protection, secure_document
from shared.ops.http.asgi import ASGIApp
from shared.ops.http.documentation import documented
from shared.ops.http.problem import Problem
from shared.ops.http.problem_answer import allowed_methods
from shared.ops.http.request_layer import RequestLayer
from shared.ops.log_limits import LINES_PER_SECOND_MAX
from shared.rate_limits.api_limits import ApiLimits

AddRoutes = Callable[[FastAPI], None]
"""Adds the routes of a capability that this package does not know."""
_DESCRIPTION = "Commands of the product catalogue. Reads are served by the query API."


class WritePort(NamedTuple):
    """`application` answers every request; `light` is for those that are answered before it."""

    application: ASGIApp
    light: LightParts

    @property
    def protocol(self) -> Callable[..., LightCommandProtocol]:
        """Makes connections that answer single commands before the application."""
        return partial(LightCommandProtocol, self.light)


def write_port(
    api: WriteApi,
    guard: Guard | None,
    *,
    docs_enabled: bool = True,
    limits: ApiLimits | None = None,
    lines_per_second_max: int = LINES_PER_SECOND_MAX,
    more_routes: Sequence[AddRoutes] = (),
) -> WritePort:
    """Both ways to the same commands, with limits and counts in common."""
    limits = limits or ApiLimits()
    application = write_app(
        api, guard, docs_enabled=docs_enabled, limits=limits, lines_per_second_max=lines_per_second_max,
        more_routes=more_routes,
    )  # fmt: skip
    return WritePort(application, light_parts(api, guard, limits, application.records))


def write_app(
    api: WriteApi,
    guard: Guard | None,
    *,
    docs_enabled: bool = True,
    limits: ApiLimits | None = None,
    lines_per_second_max: int = LINES_PER_SECOND_MAX,
    more_routes: Sequence[AddRoutes] = (),
) -> RequestLayer:
    """The whole application, which answers every request. Without a guard, everybody may do everything."""
    limits = limits or ApiLimits()
    app = documented("Product catalogue: commands", _DESCRIPTION, docs_enabled=docs_enabled)
    add_write_routes(app, api)
    for add_routes in more_routes:
        add_routes(app)
    expected: tuple[type[Exception], ...] = (HttpProblem, *EXPECTED_ERRORS)
    for error in expected:
        app.add_exception_handler(error, _failed)
    app.add_exception_handler(HTTPException, _framework_error)
    app.add_exception_handler(ClientDisconnect, _hung_up)
    app.add_exception_handler(Exception, _failed)
    app.openapi = partial(_openapi, app, is_guarded=guard is not None)  # type: ignore[method-assign]
    layers = limits.around(app, protection(app, guard), guard)
    return RequestLayer(layers, lines_per_second_max=lines_per_second_max)


async def _hung_up(_: Request, __: Exception) -> Response:
    """The client disconnected in the middle of its body: it does not read this answer, and nothing is wrong
    here.
    """
    return Response(status_code=400)


async def _failed(request: Request, error: Exception) -> Response:
    """A refusal, an outage or a bug; the request layer logs the bug."""
    return error_response(request, error)


async def _framework_error(request: Request, error: Exception) -> Response:
    """404 and 405 of the router, as problems; 405 with every method of the path."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = allowed_methods(request)
        detail = f"this path takes {allowed}"
        problem = Problem(405, "method-not-allowed", "Method not allowed", detail)
        return error_response(request, HttpProblem(problem, {"allow": allowed}))
    if error.status_code == 404:
        return error_response(request, HttpProblem(Problem(404, "not-found", "There is nothing here")))
    return error_response(request, HttpProblem(Problem(error.status_code, "http-error", str(error.detail))))


def _openapi(app: FastAPI, *, is_guarded: bool) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        document.setdefault("components", {}).setdefault("schemas", {}).update(component_schemas())
        name_bodies(document)
        secure_document(document, is_guarded=is_guarded)
        app.openapi_schema = document
    return app.openapi_schema
