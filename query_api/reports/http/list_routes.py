"""The routes of categories, brands and stock items: lists in the order of their keys."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from query_api.consistency.http import WaitLimits, consistency_of
from query_api.http import openapi
from query_api.http.application import AddRoutes
from query_api.http.caller import require_statuses, sees_all
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
    Counts,
    StockQuery,
    StockRow,
)
from shared.access.scopes import Scope


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
        require_statuses(request, query.statuses)
        page = await reads.categories.page(query, parameters.cursor, parameters.limit, consistency)
        is_all = sees_all(request)
        items = [_category(row, query.statuses, is_all) for row in page.rows]
        return report_answer(request, {"items": items}, page.next_cursor, applied)

    async def list_brands(request: Request, parameters: Annotated[BrandParameters, Query()]) -> Response:
        """Brands with how many products they have."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        query = parameters.query()
        require_statuses(request, query.statuses)
        page = await reads.brands.page(query, parameters.cursor, parameters.limit, consistency)
        is_all = sees_all(request)
        items = [_brand(row, query.statuses, is_all) for row in page.rows]
        return report_answer(request, {"items": items}, page.next_cursor, applied)

    async def list_stock_items(request: Request, parameters: Annotated[StockParameters, Query()]) -> Response:
        """Stock items: which SKUs there are to keep stock of, and which no longer."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        page = await reads.stock.page(parameters.query(), parameters.cursor, parameters.limit, consistency)
        items = [row._asdict() for row in page.rows]
        return report_answer(request, {"items": items}, page.next_cursor, applied)

    def add(app: FastAPI) -> None:
        add_route(
            app, "/v1/categories", list_categories, CategoryPage, openapi.REPORT, scope=Scope.PRODUCTS_READ
        )
        add_route(app, "/v1/brands", list_brands, BrandPage, openapi.REPORT, scope=Scope.PRODUCTS_READ)
        add_route(
            app,
            "/v1/inventory",
            list_stock_items,
            StockPage,
            openapi.REPORT,
            scope=Scope.PRODUCTS_READ_DRAFTS,
        )

    return add


def _brand(row: BrandRow, statuses: tuple[str, ...], is_all: bool) -> dict[str, Any]:
    return {
        "brand": row.brand,
        "products": row.counts.of(statuses),
        "by_status": _by_status(row.counts, is_all),
    }


def _by_status(counts: Counts, is_all: bool) -> dict[str, int | None]:
    """A caller who does not see drafts and archived products does not see how many there are, either."""
    return counts._asdict() if is_all else {"draft": None, "active": counts.active, "archived": None}


def _category(row: CategoryRow, statuses: tuple[str, ...], is_all: bool) -> dict[str, Any]:
    parent, _, name = row.path.rpartition("/")
    return {
        "category": row.path,
        "name": name,
        "parent": parent if row.depth > 1 else None,
        "depth": row.depth,
        "products": row.own.of(statuses),
        "products_in_subtree": row.subtree.of(statuses),
        "by_status": _by_status(row.own, is_all),
        "by_status_in_subtree": _by_status(row.subtree, is_all),
    }
