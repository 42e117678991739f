"""Products: what each address reads from a request, and how its answer looks."""

from typing import Annotated
from urllib.parse import unquote, unquote_to_bytes

from fastapi import FastAPI, Path, Query, Request
from starlette.responses import Response

from query_api.errors import ProductNotFound
from query_api.find import FindProduct, Found
from query_api.http import openapi
from query_api.http.consistency import WaitLimits, consistency_of
from query_api.http.preconditions import require_match
from query_api.http.product_answer import cache_status, product_answer
from query_api.http.route_parts import (
    IfMatch,
    IfNoneMatch,
    Prefer,
    RequestId,
    Token,
    Trace,
    add_route,
    json_answer,
    next_page,
    refuse_parameters,
    refuse_repeats,
)
from query_api.http.schemas import ListParameters, ProductModel, ProductPage
from query_api.lists import ListProducts, age_seconds
from query_api.ports import PointerKind
from shared.contract.text import NFC_SHRINKS_TO_A_QUARTER, normal_slug, normal_text
from shared.ops.plain_values import canonical_uuid

NAME_CHARACTERS_MAX = 255


def add_product_routes(app: FastAPI, find: FindProduct, limits: WaitLimits) -> None:
    """One product by id, SKU or slug."""

    async def by_id(
        request: Request,
        product_id: Annotated[str, Path(json_schema_extra={"format": "uuid"})],
        if_match: IfMatch = None,
        if_none_match: IfNoneMatch = None,
        consistency_token: Token = None,
        prefer: Prefer = None,
        x_request_id: RequestId = None,
        traceparent: Trace = None,
    ) -> Response:
        """A product by its id, in any status."""
        refuse_parameters(request)
        consistency, applied = consistency_of(request, limits)
        try:
            wanted = canonical_uuid(unquote(product_id))
        except ValueError as error:
            raise ProductNotFound("there is no product with such an id") from error
        return _answer(request, await find.by_id(wanted, consistency), applied)

    async def by_sku(
        request: Request,
        sku: Annotated[str, Path(description="Percent-encoded, `/` too (%2F). In any Unicode form.")],
        if_match: IfMatch = None,
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
        slug: Annotated[str, Path(description="Percent-encoded. In any Unicode form.")],
        if_match: IfMatch = None,
        if_none_match: IfNoneMatch = None,
        consistency_token: Token = None,
        prefer: Prefer = None,
        x_request_id: RequestId = None,
        traceparent: Trace = None,
    ) -> Response:
        """The product with this slug."""
        return await _by_name(request, "slug", slug)

    async def _by_name(request: Request, kind: PointerKind, raw: str) -> Response:
        refuse_parameters(request)
        consistency, applied = consistency_of(request, limits)
        return _answer(request, await find.by_name(kind, _decoded(raw, kind), consistency), applied)

    for path, handler in (
        ("/v1/products/{product_id}", by_id),
        ("/v1/products/by-sku/{sku}", by_sku),
        ("/v1/products/by-slug/{slug}", by_slug),
    ):
        add_route(app, path, handler, ProductModel, openapi.PRODUCT)


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
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        filters = parameters.filters()
        page, cache = await lists.page(filters, parameters.cursor, parameters.limit, consistency)
        headers = {
            **applied,
            "cache-control": f"max-age={ttl_seconds}",
            "age": str(age_seconds(page)),
            "vary": "Consistency-Token",
        }
        headers |= next_page(request, page.next_cursor)
        name, value = cache_status(cache)
        headers[name.decode()] = value.decode()
        return json_answer(request, page.body, headers)

    add_route(app, "/v1/products", list_products, ProductPage, openapi.LIST)


def _answer(request: Request, found: Found, more_headers: dict[str, str]) -> Response:
    require_match(request, found.stream_version)
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


def _decoded(raw: str, kind: PointerKind) -> str:
    """A path parameter, decoded after the path was split, in the form in which such names are stored.

    What no product can be called is not found.
    """
    try:
        name = unquote_to_bytes(raw.encode("latin-1")).decode()
    except UnicodeDecodeError as error:
        raise ProductNotFound("the address is not UTF-8") from error
    if len(name) <= NFC_SHRINKS_TO_A_QUARTER * NAME_CHARACTERS_MAX:
        name = normal_slug(name) if kind == "slug" else normal_text(name)
    if "\0" in name or len(name) > NAME_CHARACTERS_MAX:
        raise ProductNotFound("there is no such product")
    return name
