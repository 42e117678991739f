"""The routes of the write endpoints. `openapi/` describes the bodies."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from command_api.http.answers import WriteApi
from command_api.http.batch.route import run_batch
from command_api.http.body import read_body, require_media_type
from command_api.http.given import Given
from command_api.http.headers import refuse_preconditions
from command_api.http.import_reports import IMPORT_PATH, report_import
from command_api.http.openapi.endpoints import describes
from command_api.http.single_commands import ENDPOINTS, JSON, Endpoint, answer_headers
from shared.access.scopes import Scope
from shared.ops.logs import add_log_fields

BATCH_PATH = "/v1/products:batch"
Route = Callable[[Request], Awaitable[Response]]


def add_write_routes(app: FastAPI, api: WriteApi) -> None:
    """All endpoints of the command API."""
    creation, *others = ENDPOINTS
    _add_single(app, api, creation)
    described = describes(run_batch.__name__, Scope.PRODUCTS_WRITE)
    app.add_api_route(BATCH_PATH, _batch(api), methods=["POST"], **described)
    for endpoint in others:
        _add_single(app, api, endpoint)
    described = describes(report_import.__name__, Scope.PRODUCTS_IMPORT)
    app.add_api_route(IMPORT_PATH, _report(api), methods=["PUT"], **described)


def _add_single(app: FastAPI, api: WriteApi, endpoint: Endpoint) -> None:
    described = describes(endpoint.name, endpoint.needs)
    app.add_api_route(endpoint.path, _single(api, endpoint), methods=[endpoint.method], **described)


def _single(api: WriteApi, endpoint: Endpoint) -> Route:
    async def run(request: Request) -> Response:
        given = Given.of(request)
        refuse_preconditions(given, endpoint.preconditions)
        if endpoint.media_types:
            require_media_type(given, *endpoint.media_types)
            given.body = await read_body(request)
        answer = await api.execute.execute(endpoint.prepare(given))
        add_log_fields(product_id=str(answer.product_id))
        headers = answer_headers(api, endpoint, answer)
        return Response(answer.body, answer.status, headers, media_type=JSON if answer.body else None)

    return _named(run, endpoint.prepare)


def _batch(api: WriteApi) -> Route:
    async def run(request: Request) -> Response:
        refuse_preconditions(Given.of(request), ())
        return await run_batch(api, request)

    return _named(run, run_batch)


def _report(api: WriteApi) -> Route:
    async def run(request: Request) -> Response:
        return await report_import(api, request)

    return _named(run, report_import)


def _named(route: Route, described: Callable[..., object]) -> Route:
    """FastAPI takes the name and the description of an operation from its function."""
    route.__name__, route.__doc__ = described.__name__, described.__doc__
    return route
