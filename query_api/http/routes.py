"""The addresses of the query API: what each reads from a request, and how its answer looks."""

from typing import Annotated, Any
from urllib.parse import unquote, unquote_to_bytes, urlencode
from uuid import UUID

import msgspec
from fastapi import FastAPI, Header, Path, Query, Request
from starlette.responses import JSONResponse, Response

from query_api.errors import BadParameter, ProductNotFound
from query_api.find import FindProduct, Found
from query_api.http import openapi
from query_api.http.consistency import WaitLimits, consistency_of
from query_api.http.product_answer import cache_status, product_answer
from query_api.http.schemas import ListParameters, ProductModel, ProductPage, Status
from query_api.lists import ListProducts, age_seconds
from query_api.ports import Checkpoints, PointerKind

NAME_CHARACTERS_MAX = 255
_encode = msgspec.json.Encoder().encode

# Read by the handlers from the request itself; declared so that OpenAPI names them.
IfNoneMatch = Annotated[str | None, Header(description='ETags that the caller has, such as "3", or *.')]
Token = Annotated[str | None, Header(description="From the answer to a write that must be visible.")]
Prefer = Annotated[str | None, Header(description="wait=N: how many seconds to wait for that write.")]
RequestId = Annotated[str | None, Header(description="Comes back in the answer and in logs.")]
Trace = Annotated[str | None, Header(description="W3C trace context.")]


def add_product_routes(app: FastAPI, find: FindProduct, limits: WaitLimits) -> None:
    """One product by id, SKU or slug."""

    async def by_id(
        request: Request,
        product_id: Annotated[str, Path(json_schema_extra={"format": "uuid"})],
        if_none_match: IfNoneMatch = None,
        consistency_token: Token = None,
        prefer: Prefer = None,
        x_request_id: RequestId = None,
        traceparent: Trace = None,
    ) -> Response:
        """A product by its id, in any status."""
        _refuse_parameters(request)
        consistency, applied = consistency_of(request, limits)
        try:
            wanted = UUID(unquote(product_id))
        except ValueError as error:
            raise ProductNotFound("there is no product with such an id") from error
        return _answer(request, await find.by_id(wanted, consistency), applied)

    async def by_sku(
        request: Request,
        sku: Annotated[str, Path(description="Percent-encoded, `/` too (%2F).")],
        if_none_match: IfNoneMatch = None,
        consistency_token: Token = None,
        prefer: Prefer = None,
        x_request_id: RequestId = None,
        traceparent: Trace = None,
    ) -> Response:
        """The product that has a variant of this SKU."""
        return await _by_name(request, "sku", sku)

    async def by_slug(
        request: Request,
        slug: Annotated[str, Path(description="Percent-encoded.")],
        if_none_match: IfNoneMatch = None,
        consistency_token: Token = None,
        prefer: Prefer = None,
        x_request_id: RequestId = None,
        traceparent: Trace = None,
    ) -> Response:
        """The product with this slug."""
        return await _by_name(request, "slug", slug)

    async def _by_name(request: Request, kind: PointerKind, raw: str) -> Response:
        _refuse_parameters(request)
        consistency, applied = consistency_of(request, limits)
        return _answer(request, await find.by_name(kind, _decoded(raw), consistency), applied)

    for path, handler in (
        ("/v1/products/{product_id}", by_id),
        ("/v1/products/by-sku/{sku}", by_sku),
        ("/v1/products/by-slug/{slug}", by_slug),
    ):
        _add(app, path, handler, ProductModel, openapi.PRODUCT)


def add_list_route(app: FastAPI, lists: ListProducts, limits: WaitLimits, *, ttl_seconds: int) -> None:
    """Lists; a page is at most `ttl_seconds` old, which Cache-Control and Age tell together."""

    async def list_products(
        request: Request,
        parameters: Annotated[ListParameters, Query()],
        consistency_token: Token = None,
        prefer: Prefer = None,
        x_request_id: RequestId = None,
        traceparent: Trace = None,
    ) -> Response:
        """Products that match all filters, a page at a time."""
        _refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        filters = parameters.filters()
        page, cache = await lists.page(filters, parameters.cursor, parameters.limit, consistency)
        headers = {
            **applied,
            "cache-control": f"max-age={ttl_seconds}",
            "age": str(age_seconds(page)),
            "vary": "Consistency-Token",
        }
        if page.next_cursor is not None:
            headers["link"] = f'<{_next_page(request, page.next_cursor)}>; rel="next"'
        name, value = cache_status(cache)
        headers[name.decode()] = value.decode()
        return _json(request, page.body, headers)

    _add(app, "/v1/products", list_products, ProductPage, openapi.LIST)


def add_status_route(app: FastAPI, checkpoints: Checkpoints) -> None:
    """How far the projections are."""

    async def status(request: Request, x_request_id: RequestId = None, traceparent: Trace = None) -> Response:
        """Per projection its position. Lag and parked products are known to the projector, not here."""
        _refuse_parameters(request)
        projections = [
            {
                "projection": state.projection,
                "position": state.log_position,
                "partitions": state.partition_count,
                "updated_at": state.updated_at,
                "lag_events": None,
                "lag_seconds": None,
                "parked_products": None,
            }
            for state in await checkpoints.states()
        ]
        return _json(request, _encode({"projections": projections}), {"cache-control": "no-store"})

    _add(app, "/v1/status", status, Status, openapi.STATUS)


def _add(app: FastAPI, path: str, handler: Any, model: Any, responses: openapi.Responses) -> None:
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


def _answer(request: Request, found: Found, more_headers: dict[str, str]) -> Response:
    tags = ",".join(request.headers.getlist("if-none-match"))
    status, headers, body = product_answer(
        found.stream_version,
        found.body,
        found.cache,
        is_head=request.method == "HEAD",
        if_none_match=tags.encode("latin-1") if tags else None,
    )
    response = Response(status_code=status)
    response.body = body
    response.raw_headers = [
        *headers,
        *((name.encode(), value.encode()) for name, value in more_headers.items()),
    ]
    return response


def _json(request: Request, body: bytes, headers: dict[str, str]) -> Response:
    headers = {**headers, "content-length": str(len(body))}
    return Response(b"" if request.method == "HEAD" else body, 200, headers, media_type="application/json")


def _decoded(raw: str) -> str:
    """A path parameter, decoded after the path was split. What no product can be called is not found."""
    try:
        name = unquote_to_bytes(raw.encode("latin-1")).decode()
    except UnicodeDecodeError as error:
        raise ProductNotFound("the address is not UTF-8") from error
    if "\0" in name or len(name) > NAME_CHARACTERS_MAX:
        raise ProductNotFound("there is no such product")
    return name


def _refuse_parameters(request: Request) -> None:
    """A parameter that does nothing would be taken for one that does."""
    for parameter in request.query_params:
        raise BadParameter(parameter, "is not a parameter of this address", "unknown")


def _refuse_repeats(request: Request) -> None:
    seen = set()
    for parameter, _ in request.query_params.multi_items():
        if parameter in seen:
            raise BadParameter(parameter, "is given more than once", "repeated")
        seen.add(parameter)


def _next_page(request: Request, cursor: str) -> str:
    """The same list, from `cursor` on; relative to this address (RFC 8288)."""
    parameters = {name: value for name, value in request.query_params.items() if name != "cursor"}
    return f"/v1/products?{urlencode({**parameters, 'cursor': cursor})}"
