"""What routes have in common: headers that OpenAPI names, JSON answers, refusing what would do nothing."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import FastAPI, Header, Request
from starlette.responses import JSONResponse, Response

from query_api.errors import BadParameter
from query_api.http import openapi
from query_api.http.preconditions import require_match

# Read by the handlers from the request itself; declared so that OpenAPI names them.
IfNoneMatch = Annotated[str | None, Header(description='ETags that the caller has, such as "3", or *.')]
IfMatch = Annotated[str | None, Header(description="Only if the product is at one of these ETags, or *.")]
Token = Annotated[str | None, Header(description="From the answer to a write that must be visible.")]
Prefer = Annotated[str | None, Header(description="wait=N: how many seconds to wait for that write.")]
RequestId = Annotated[str | None, Header(description="Comes back in the answer and in logs.")]
Trace = Annotated[str | None, Header(description="W3C trace context.")]


def add_route(app: FastAPI, path: str, handler: Any, model: Any, responses: openapi.Responses) -> None:
    """GET and HEAD are two operations, or OpenAPI would have one operation id twice."""
    for method in ("GET", "HEAD"):
        app.add_api_route(
            path,
            handler,
            methods=[method],
            operation_id=f"{method.lower()}_{handler.__name__}",
            response_model=model,
            response_class=JSONResponse,
            responses=responses,
        )


def json_answer(request: Request, body: bytes, headers: dict[str, str]) -> Response:
    """200; a HEAD has GET's headers and no body. Raises `PreconditionFailed`: it has no entity tag."""
    require_match(request, None)
    headers = {**headers, "content-length": str(len(body))}
    return Response(b"" if request.method == "HEAD" else body, 200, headers, media_type="application/json")


def refuse_parameters(request: Request) -> None:
    """A parameter that does nothing would be taken for one that does."""
    for parameter in request.query_params:
        raise BadParameter(parameter, "is not a parameter of this address", "unknown")


def refuse_repeats(request: Request) -> None:
    """Which of two values counts is nothing to guess."""
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
