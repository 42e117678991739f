"""Shared parts of routes: GET with HEAD, JSON answers, links, and the refusal of unknown parameters."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from query_api.errors import BadParameter
from query_api.http import openapi
from query_api.http.preconditions import require_match
from shared.access.http.framework import needs
from shared.access.scopes import Scope

Parameters = Sequence[dict[str, Any]]


def add_route(
    app: FastAPI,
    path: str,
    handler: Any,
    model: Any,
    responses: openapi.Responses,
    headers: Parameters = openapi.READING,
    *,
    scope: Scope,
    response_class: type[Response] = JSONResponse,
) -> None:
    """Registers GET and HEAD as two operations: otherwise OpenAPI would have one operation id twice.

    Generated clients name a function like the handler, and group functions by the tag: the first word of the
    path.
    """
    name, tag = handler.__name__, path.split("/")[2]
    for method, operation_id, tags in (("GET", name, [tag]), ("HEAD", f"head_{name}", ["head"])):
        app.add_api_route(
            path,
            handler,
            methods=[method],
            operation_id=operation_id,
            tags=list(tags),
            response_model=model,
            response_class=response_class,
            responses=responses,
            openapi_extra={"parameters": list(headers), **needs(scope)},
        )


def json_answer(request: Request, body: bytes, headers: dict[str, str]) -> Response:
    """200; a HEAD has GET's headers and no body. An If-Match raises `PreconditionFailed`: there is no entity
    tag.
    """
    require_match(request, None)
    headers = {**headers, "content-length": str(len(body))}
    return Response(b"" if request.method == "HEAD" else body, 200, headers, media_type="application/json")


def refuse_parameters(request: Request) -> None:
    """Refuse every parameter: otherwise a caller would think that an unknown one works."""
    for parameter in request.query_params:
        raise BadParameter(parameter, "is not a parameter of this address", "unknown")


def refuse_repeats(request: Request) -> None:
    """Refuse a parameter that is given twice, because it is not clear which value counts."""
    seen = set()
    for parameter, _ in request.query_params.multi_items():
        if parameter in seen:
            raise BadParameter(parameter, "is given more than once", "repeated")
        seen.add(parameter)


def next_page(request: Request, cursor: str | None) -> dict[str, str]:
    """The Link header to the same list from `cursor` on, relative to this address (RFC 8288)."""
    if cursor is None:
        return {}
    parameters = {name: value for name, value in request.query_params.items() if name != "cursor"}
    path = request.scope["path"]
    return {"link": f'<{path}?{urlencode({**parameters, "cursor": cursor})}>; rel="next"'}
