"""The routes of products: the parameters of each address, and its answer."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import FastAPI, Path, Query, Request
from starlette.responses import Response

from query_api.consistency.http import WaitLimits, consistency_of
from query_api.http import openapi
from query_api.http.application import AddRoutes
from query_api.http.caller import sees_all
from query_api.http.preconditions import require_match
from query_api.http.product_ids import product_id_of
from query_api.http.route_parts import (
    add_route,
    refuse_parameters,
    refuse_repeats,
)
from query_api.products.find import FindProduct, Found
from query_api.products.http.hot_head import CACHE_FAILED
from query_api.products.http.list_parameters import OneParameters
from query_api.products.http.path_names import name_of
from query_api.products.http.product_answer import product_answer
from query_api.products.http.schemas import ProductModel
from query_api.products.ports import PointerKind
from shared.access.scopes import Scope

AnswerPast = Callable[[Request, UUID, int | datetime], Awaitable[Response]]
"""The product in a version or at a time, as an answer."""


def product_routes(find: FindProduct, limits: WaitLimits, answer_past: AnswerPast) -> AddRoutes:
    """The routes of one product by id, SKU or slug."""

    async def by_id(
        request: Request,
        product_id: Annotated[str, Path(json_schema_extra={"format": "uuid"})],
        parameters: Annotated[OneParameters, Query()],
    ) -> Response:
        """A product by its id, in any status that the caller may see; as it is, or as it was."""
        refuse_repeats(request)
        moment = parameters.moment()
        if moment is not None:
            return await answer_past(request, product_id_of(product_id), moment)
        consistency, applied = consistency_of(request, limits)
        found = await find.by_id(
            product_id_of(product_id),
            consistency,
            sees_all=sees_all(request),
            asks_cache=CACHE_FAILED not in request.scope,
        )
        return _answer(request, found, applied)

    async def by_sku(
        request: Request,
        sku: Annotated[str, Path(description="Percent-encoded, `/` too (%2F). In any Unicode form.")],
    ) -> Response:
        """The product that has a variant of this SKU."""
        return await _by_name(request, "sku", sku)

    async def by_slug(
        request: Request,
        slug: Annotated[str, Path(description="Percent-encoded. In any Unicode form.")],
    ) -> Response:
        """The product with this slug."""
        return await _by_name(request, "slug", slug)

    async def _by_name(request: Request, kind: PointerKind, segment: str) -> Response:
        refuse_parameters(request)
        consistency, applied = consistency_of(request, limits)
        found = await find.by_name(kind, name_of(segment, kind), consistency, sees_all=sees_all(request))
        return _answer(request, found, applied)

    def add(app: FastAPI) -> None:
        for place, handler in (
            ("{product_id}", by_id),
            ("by-sku/{sku}", by_sku),
            ("by-slug/{slug}", by_slug),
        ):
            _add(app, f"/v1/products/{place}", handler)

    return add


def _add(app: FastAPI, path: str, handler: Any) -> None:
    add_route(
        app, path, handler, ProductModel, openapi.PRODUCT, openapi.READING_ONE, scope=Scope.PRODUCTS_READ
    )


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
