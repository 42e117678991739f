"""The routes of categories, brands and stock items: lists in the order of their keys."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from query_api.consistency.http import WaitLimits, consistency_of
from query_api.http import openapi
from query_api.http.application import AddRoutes
from query_api.http.route_parts import add_route, refuse_repeats
from query_api.reports.http.answer import report_answer
from query_api.reports.http.list_schemas import (
    BrandPage,
    BrandParameters,
    CategoryPage,
    CategoryParameters,
    StockPage,
    StockParameters,
)
from query_api.reports.key_pages import KeyPages
from query_api.reports.ports import (
    BrandQuery,
    BrandRow,
    CategoryQuery,
    CategoryRow,
    StockQuery,
    StockRow,
)


@dataclass(frozen=True, slots=True)
class ListReads:
    """The use cases."""

    categories: KeyPages[CategoryQuery, CategoryRow]
    brands: KeyPages[BrandQuery, BrandRow]
    stock: KeyPages[StockQuery, StockRow]


def list_routes(reads: ListReads, limits: WaitLimits) -> AddRoutes:
    """The routes of categories, brands and stock items."""

    async def list_categories(
        request: Request, parameters: Annotated[CategoryParameters, Query()]
    ) -> Response:
        """Categories with how many products are in them and below them."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        query = parameters.query()
        page = await reads.categories.page(query, parameters.cursor, parameters.limit, consistency)
        items = [_category(row, query.statuses) for row in page.rows]
        return report_answer(request, {"items": items}, page.next_cursor, applied)

    async def list_brands(request: Request, parameters: Annotated[BrandParameters, Query()]) -> Response:
        """Brands with how many products they have."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        query = parameters.query()
        page = await reads.brands.page(query, parameters.cursor, parameters.limit, consistency)
        items = [
            {"brand": row.brand, "products": row.counts.of(query.statuses), "by_status": row.counts._asdict()}
            for row in page.rows
        ]
        return report_answer(request, {"items": items}, page.next_cursor, applied)

    async def list_stock_items(request: Request, parameters: Annotated[StockParameters, Query()]) -> Response:
        """Stock items: which SKUs there are to keep stock of, and which no longer."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        page = await reads.stock.page(parameters.query(), parameters.cursor, parameters.limit, consistency)
        items = [row._asdict() for row in page.rows]
        return report_answer(request, {"items": items}, page.next_cursor, applied)

    def add(app: FastAPI) -> None:
        add_route(app, "/v1/categories", list_categories, CategoryPage, openapi.REPORT)
        add_route(app, "/v1/brands", list_brands, BrandPage, openapi.REPORT)
        add_route(app, "/v1/inventory", list_stock_items, StockPage, openapi.REPORT)

    return add


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
