"""Sums of changes and of price changes, which the view `analytics` counts by day, category and brand."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from query_api.applied import Applied
from query_api.postgres.bounded_reads import BoundedReads
from query_api.reports.ports import (
    ChangesQuery,
    ChangesRow,
    Days,
    DaysQuery,
    GroupPosition,
    PricesQuery,
    PricesRow,
)
from shared.postgres.sql import load_sql

_SQL = "query_api.reports.postgres"


class PostgresChanges:
    """Adapter of `GroupedRows` for changes. The pool must be made with `with_custom_plans`."""

    def __init__(self, reads: BoundedReads) -> None:
        self._reads = reads

    async def page(
        self,
        query: ChangesQuery,
        days: Days,
        after: GroupPosition | None,
        rows_max: int,
        applied: Applied | None = None,
    ) -> Sequence[ChangesRow]:
        records = await self._reads.fetch(
            load_sql(_SQL, "report_changes"),
            *_filters(query, days, after),
            after is not None,
            after.key if after else None,
            rows_max,
            applied=applied,
        )
        rows = map(dict, records)
        return [ChangesRow(row.pop("key"), row) for row in rows]


class PostgresPrices:
    """Adapter of `GroupedRows` for prices."""

    def __init__(self, reads: BoundedReads) -> None:
        self._reads = reads

    async def page(
        self,
        query: PricesQuery,
        days: Days,
        after: GroupPosition | None,
        rows_max: int,
        applied: Applied | None = None,
    ) -> Sequence[PricesRow]:
        records = await self._reads.fetch(
            load_sql(_SQL, "report_prices"),
            *_filters(query, days, after),
            after is not None,
            after.key if after else None,
            after.currency if after else None,
            rows_max,
            query.currency,
            applied=applied,
        )
        return [PricesRow(*record) for record in records]


def _filters(query: DaysQuery, days: Days, after: GroupPosition | None) -> tuple[Any, ...]:
    """The first day to read: the days of earlier pages need not be read again."""
    first = days.first
    if query.group_by == "day" and after is not None and after.key is not None:
        first = max(first, date.fromisoformat(after.key))
    return first, days.last, query.category, query.brand, query.group_by
