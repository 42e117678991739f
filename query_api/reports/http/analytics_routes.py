"""The routes of analytics: changes between two days, and price changes."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from query_api.consistency.http import WaitLimits, consistency_of
from query_api.http import openapi
from query_api.http.application import AddRoutes
from query_api.http.route_parts import add_route, refuse_repeats
from query_api.reports.analytics import Report, Reports, average_relative_change
from query_api.reports.http.analytics_schemas import (
    ChangesParameters,
    ChangesReport,
    PricesParameters,
    PricesReport,
)
from query_api.reports.http.answer import report_answer
from query_api.reports.ports import ChangesQuery, ChangesRow, PricesQuery, PricesRow
from shared.access.scopes import Scope


@dataclass(frozen=True, slots=True)
class AnalyticsReads:
    """The use cases."""

    changes: Reports[ChangesQuery, ChangesRow]
    prices: Reports[PricesQuery, PricesRow]


def analytics_routes(reads: AnalyticsReads, limits: WaitLimits) -> AddRoutes:
    """The routes of changes and of price changes."""

    async def report_changes(request: Request, parameters: Annotated[ChangesParameters, Query()]) -> Response:
        """How much of what happened, by day, category or brand."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        report = await reads.changes.page(
            parameters.query(), parameters.cursor, parameters.limit, _today(), consistency
        )
        items = [{parameters.group_by: row.key, **row.counts} for row in report.rows]
        body = _report(report, parameters.group_by, items)
        return report_answer(request, body, report.next_cursor, applied)

    async def report_prices(request: Request, parameters: Annotated[PricesParameters, Query()]) -> Response:
        """How prices moved, by day, category or brand, and by currency."""
        refuse_repeats(request)
        consistency, applied = consistency_of(request, limits)
        report = await reads.prices.page(
            parameters.query(), parameters.cursor, parameters.limit, _today(), consistency
        )
        items = [_prices(row, parameters.group_by) for row in report.rows]
        body = _report(report, parameters.group_by, items)
        return report_answer(request, body, report.next_cursor, applied)

    def add(app: FastAPI) -> None:
        add_route(
            app,
            "/v1/analytics/changes",
            report_changes,
            ChangesReport,
            openapi.REPORT,
            scope=Scope.PRODUCTS_AUDIT,
        )
        add_route(
            app,
            "/v1/analytics/prices",
            report_prices,
            PricesReport,
            openapi.REPORT,
            scope=Scope.PRODUCTS_AUDIT,
        )

    return add


def _today() -> date:
    return datetime.now(UTC).date()


def _report(report: Report[Any], group_by: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"from": report.days.first, "to": report.days.last, "group_by": group_by, "items": items}


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
