"""The routes of the past of a product, and the answer of `GET /v1/products/{id}?version=` and `?as_of=`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec
from fastapi import FastAPI, Path, Query, Request
from starlette.responses import Response

from query_api.consistency.http import WaitLimits, consistency_of
from query_api.history.history_pages import HistoryPages
from query_api.history.http import schemas as s
from query_api.history.past_versions import Moment, PastVersions
from query_api.history.price_history import PriceHistory, PriceQuery, days_before
from query_api.history.prices import PricePoint
from query_api.history.reader import Reader
from query_api.http import openapi
from query_api.http.application import AddRoutes
from query_api.http.caller import sees_all
from query_api.http.parameters import Paging
from query_api.http.preconditions import require_match
from query_api.http.product_ids import product_id_of
from query_api.http.route_parts import add_route, json_answer, next_page, refuse_repeats
from query_api.products.http.product_answer import cache_status, matches
from query_api.products.http.routes import AnswerPast
from shared.access.caller import may
from shared.access.scopes import Scope
from shared.contract.views import ProductDocument

_REVALIDATE = {"cache-control": "no-cache"}
# A version never changes. But a product can be deleted, and a right be taken back.
_VERSION_SECONDS = 86_400
_ProductId = Annotated[str, Path(json_schema_extra={"format": "uuid"})]
_encode = msgspec.json.Encoder().encode


class HistoryReads(NamedTuple):
    """The use cases behind the routes."""

    versions: PastVersions
    pages: HistoryPages
    prices: PriceHistory


def past_answer(versions: PastVersions, limits: WaitLimits) -> AnswerPast:
    """Answers with a product as it was."""

    async def answer(request: Request, product_id: UUID, moment: Moment) -> Response:
        consistency, applied = consistency_of(request, limits)
        found = await versions.at(product_id, moment, _reader(request), consistency)
        require_match(request, found.stream_version)
        etag = f'"{found.stream_version}"'
        name, value = cache_status("bypass")
        kept = f"max-age={_VERSION_SECONDS}" if isinstance(moment, int) else "no-cache"
        headers = {**applied, "etag": etag, "cache-control": kept, name.decode(): value.decode()}
        tags = ",".join(request.headers.getlist("if-none-match"))
        if tags and matches(tags.encode("latin-1"), etag.encode()):
            return Response(status_code=304, headers=headers)
        headers["content-length"] = str(len(found.body))
        body = b"" if request.method == "HEAD" else found.body
        return Response(body, 200, headers, media_type="application/json")

    return answer


def history_routes(reads: HistoryReads, limits: WaitLimits) -> AddRoutes:
    """The routes of history and differences."""

    async def product_history(
        request: Request, product_id: _ProductId, parameters: Annotated[Paging, Query()]
    ) -> Response:
        """The events of a product, newest first: who changed what, and when."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        page = await reads.pages.page(
            product_id_of(product_id), parameters.cursor, parameters.limit, _reader(request), consistency
        )
        return _page_answer(request, page.items, page.next_cursor, applied)

    async def product_diff(
        request: Request, product_id: _ProductId, parameters: Annotated[s.DifferenceParameters, Query()]
    ) -> Response:
        """What differs between two versions or times: field by field, and as a JSON Patch."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        found = await reads.versions.difference(
            product_id_of(product_id), parameters.moments(), _reader(request), consistency
        )
        answer = {
            "from": _version(found.from_document),
            "to": _version(found.to_document),
            "changes": found.changes,
            "patch": found.patch,
        }
        return json_answer(request, _encode(answer), {**applied, **_REVALIDATE})

    def add(app: FastAPI) -> None:
        for name, handler, model, responses in (
            ("history", product_history, s.HistoryPageModel, openapi.PAST_PAGE),
            ("diff", product_diff, s.DifferenceModel, openapi.PAST),
        ):
            path = f"/v1/products/{{product_id}}/{name}"
            add_route(app, path, handler, model, responses, scope=Scope.PRODUCTS_READ)

    return add


def price_history_routes(reads: PriceHistory, limits: WaitLimits) -> AddRoutes:
    """The routes of prices over time."""

    async def product_price_history(
        request: Request, product_id: _ProductId, parameters: Annotated[s.PriceHistoryParameters, Query()]
    ) -> Response:
        """How the prices of a product changed, newest first."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        query = PriceQuery(
            product_id=product_id_of(product_id), sku=parameters.sku, currency=parameters.known_currency()
        )
        page = await reads.page(query, parameters.cursor, parameters.limit, _reader(request), consistency)
        items = [_encode(_point(one)) for one in page.points]
        return _page_answer(request, items, page.next_cursor, applied)

    async def product_lowest_price(
        request: Request, product_id: _ProductId, parameters: Annotated[s.LowestPriceParameters, Query()]
    ) -> Response:
        """The lowest price in a number of days, as the EU asks for it with a price reduction."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        query = PriceQuery(
            product_id=product_id_of(product_id), sku=parameters.sku, currency=parameters.known_currency()
        )
        times = days_before(datetime.now(UTC), parameters.ends(), parameters.days)
        found = await reads.lowest(query, times, _reader(request), consistency)
        answer = {**found._asdict(), "days": parameters.days}
        return json_answer(request, _encode(answer), {**applied, **_REVALIDATE})

    def add(app: FastAPI) -> None:
        for name, handler, model, responses in (
            ("price-history", product_price_history, s.PricePageModel, openapi.PAST_PAGE),
            ("lowest-price", product_lowest_price, s.LowestPriceModel, openapi.PAST),
        ):
            path = f"/v1/products/{{product_id}}/{name}"
            add_route(app, path, handler, model, responses, scope=Scope.PRODUCTS_READ)

    return add


def _reader(request: Request) -> Reader:
    return Reader(sees_all(request), may(request.scope, Scope.PRODUCTS_AUDIT))


def _page_answer(
    request: Request, items: list[bytes], next_cursor: str | None, applied: Mapping[str, str]
) -> Response:
    """Items are encoded one by one, so that a page can end before it has too many bytes."""
    body = b'{"items":[%b],"next_cursor":%b}' % (b",".join(items), _encode(next_cursor))
    return json_answer(request, body, {**applied, **_REVALIDATE, **next_page(request, next_cursor)})


def _version(document: ProductDocument) -> dict[str, Any]:
    return {"version": document.version, "updated_at": document.updated_at}


def _point(point: PricePoint) -> dict[str, Any]:
    return {
        "sku": point.sku,
        "price": point.price,
        "for_sale": point.is_for_sale,
        "at": point.at,
        "version": point.stream_version,
    }
