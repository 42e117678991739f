"""Categories, brands, stock items and analytics: lists and sums, from the table and never cached.

`Cache-Control: no-cache`: what a client keeps of them is as old as it is, so it asks again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from query_api.analytics import Report, Reports, average_relative_change
from query_api.http import analytics_schemas, openapi, report_schemas
from query_api.http.consistency import WaitLimits, consistency_of
from query_api.http.route_parts import (
    Prefer,
    RequestId,
    Token,
    Trace,
    add_route,
    json_answer,
    next_page,
    refuse_repeats,
)
from query_api.key_pages import KeyPages
from query_api.report_ports import (
    BrandQuery,
    BrandRow,
    CategoryQuery,
    CategoryRow,
    ChangesQuery,
    ChangesRow,
    PricesQuery,
    PricesRow,
    StockQuery,
    StockRow,
)

_REVALIDATE = {"cache-control": "no-cache"}
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class ReportReads:
    """The use cases."""

    categories: KeyPages[CategoryQuery, CategoryRow]
    brands: KeyPages[BrandQuery, BrandRow]
    stock: KeyPages[StockQuery, StockRow]
    changes: Reports[ChangesQuery, ChangesRow]
    prices: Reports[PricesQuery, PricesRow]


def add_list_routes(app: FastAPI, reads: ReportReads, limits: WaitLimits) -> None:
    """Categories, brands and stock items."""

    async def list_categories(
        request: Request,
        parameters: Annotated[report_schemas.CategoryParameters, Query()],
        consistency_token: Token = None,
        prefer: Prefer = None,
        x_request_id: RequestId = None,
        traceparent: Trace = None,
    ) -> Response:
        """Categories with how many products are in them and below them."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        query = parameters.query()
        page = await reads.categories.page(query, parameters.cursor, parameters.limit, consistency)
        items = [_category(row, query.statuses) for row in page.rows]
        return _page(request, {"items": items}, page.next_cursor, applied)

    async def list_brands(
        request: Request,
        parameters: Annotated[report_schemas.BrandParameters, Query()],
        consistency_token: Token = None,
        prefer: Prefer = None,
        x_request_id: RequestId = None,
        traceparent: Trace = None,
    ) -> Response:
        """Brands with how many products they have."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        query = parameters.query()
        page = await reads.brands.page(query, parameters.cursor, parameters.limit, consistency)
        items = [
            {"brand": row.brand, "products": row.counts.of(query.statuses), "by_status": row.counts._asdict()}
            for row in page.rows
        ]
        return _page(request, {"items": items}, page.next_cursor, applied)

    async def list_stock_items(
        request: Request,
        parameters: Annotated[report_schemas.StockParameters, Query()],
        consistency_token: Token = None,
        prefer: Prefer = None,
        x_request_id: RequestId = None,
        traceparent: Trace = None,
    ) -> Response:
        """Stock items: which SKUs there are to keep stock of, and which no longer."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        page = await reads.stock.page(parameters.query(), parameters.cursor, parameters.limit, consistency)
        items = [row._asdict() for row in page.rows]
        return _page(request, {"items": items}, page.next_cursor, applied)

    add_route(app, "/v1/categories", list_categories, report_schemas.CategoryPage, openapi.REPORT)
    add_route(app, "/v1/brands", list_brands, report_schemas.BrandPage, openapi.REPORT)
    add_route(app, "/v1/inventory", list_stock_items, report_schemas.StockPage, openapi.REPORT)


def add_analytics_routes(app: FastAPI, reads: ReportReads, limits: WaitLimits) -> None:
    """What changed, and how prices moved."""

    async def report_changes(
        request: Request,
        parameters: Annotated[analytics_schemas.ChangesParameters, Query()],
        consistency_token: Token = None,
        prefer: Prefer = None,
        x_request_id: RequestId = None,
        traceparent: Trace = None,
    ) -> Response:
        """How much of what happened, by day, category or brand."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        report = await reads.changes.page(
            parameters.query(), parameters.cursor, parameters.limit, datetime.now(UTC).date(), consistency
        )
        items = [{parameters.group_by: row.key, **row.counts} for row in report.rows]
        return _page(request, _report(report, parameters.group_by, items), report.next_cursor, applied)

    async def report_prices(
        request: Request,
        parameters: Annotated[analytics_schemas.PricesParameters, Query()],
        consistency_token: Token = None,
        prefer: Prefer = None,
        x_request_id: RequestId = None,
        traceparent: Trace = None,
    ) -> Response:
        """How prices moved, by day, category or brand, and by currency."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        report = await reads.prices.page(
            parameters.query(), parameters.cursor, parameters.limit, datetime.now(UTC).date(), consistency
        )
        items = [_prices(row, parameters.group_by) for row in report.rows]
        return _page(request, _report(report, parameters.group_by, items), report.next_cursor, applied)

    add_route(app, "/v1/analytics/changes", report_changes, analytics_schemas.ChangesReport, openapi.REPORT)
    add_route(app, "/v1/analytics/prices", report_prices, analytics_schemas.PricesReport, openapi.REPORT)


def _page(
    request: Request, body: Mapping[str, Any], next_cursor: str | None, applied: dict[str, str]
) -> Response:
    headers = {**applied, **_REVALIDATE, **next_page(request, next_cursor)}
    return json_answer(request, _encode({**body, "next_cursor": next_cursor}), headers)


def _report(report: Report[Any], group_by: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"from": report.days.first, "to": report.days.last, "group_by": group_by, "items": items}


def _category(row: CategoryRow, statuses: tuple[str, ...]) -> dict[str, Any]:
    parent, _, name = row.path.rpartition("/")
    return {
        "category": row.path,
        "name": name,
        "parent": parent if row.depth > 1 else None,
        "depth": row.depth,
        "products": row.own.of(statuses),
        "products_in_subtree": row.subtree.of(statuses),
        "by_status": row.own._asdict(),
        "by_status_in_subtree": row.subtree._asdict(),
    }


def _prices(row: PricesRow, group_by: str) -> dict[str, Any]:
    return {
        group_by: row.key,
        "currency": row.currency,
        "price_changes": row.price_changes,
        "price_increases": row.price_increases,
        "price_decreases": row.price_decreases,
        "compared": row.compared,
        "average_relative_change": average_relative_change(row.log_ratio_sum, row.compared),
    }
