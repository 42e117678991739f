"""Reports of changes between two days, by day, category or brand, one page of groups at a time.

Days that are not given depend on today, so the cursor contains the days of the first page.
"""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Generic, NamedTuple, Protocol, TypeVar

from query_api.consistency.visibility import Consistency, Visibility
from query_api.cursors import Cursors
from query_api.errors import BadParameter
from query_api.reports.ports import Days, DaysQuery, GroupedRows, GroupPosition

DAYS_DEFAULT = 30
DAYS_MAX = 366
_RATIO_PLACES = 6


class Group(Protocol):
    """A row of a report."""

    @property
    def key(self) -> str | None: ...
    @property
    def currency(self) -> str: ...


Q = TypeVar("Q", bound=DaysQuery)
R = TypeVar("R", bound=Group)


class Report(NamedTuple, Generic[R]):
    """One page of groups, and its days."""

    days: Days
    rows: Sequence[R]
    next_cursor: str | None


class Reports(Generic[Q, R]):
    """The use case. Raises `BadParameter`, or `Unavailable` if the table cannot answer."""

    def __init__(
        self, rows: GroupedRows[Q, R], cursors: Cursors[GroupPosition], visibility: Visibility
    ) -> None:
        self._rows = rows
        self._cursors = cursors
        self._visibility = visibility

    async def page(
        self, query: Q, cursor: str | None, limit: int, today: date, consistency: Consistency | None = None
    ) -> Report[R]:
        """Up to `limit` groups after `cursor`."""
        after = None if cursor is None else self._cursors.decode(cursor, query)
        days = chosen_days(query, today) if after is None else after.days
        if consistency is None:
            found = await self._rows.page(query, days, after, limit + 1)
        else:
            found = await self._visibility.read(
                consistency, lambda applied: self._rows.page(query, days, after, limit + 1, applied)
            )
        rows = found[:limit]
        next_cursor = None
        if len(rows) < len(found):
            position = GroupPosition(rows[-1].key, rows[-1].currency, days)
            next_cursor = self._cursors.encode(position, query)
        return Report(days, rows, next_cursor)


def chosen_days(query: DaysQuery, today: date) -> Days:
    """The days of a query; by default 30 days up to today. Raises `BadParameter`."""
    last = query.to_day or today
    first = query.from_day or last - min(timedelta(DAYS_DEFAULT - 1), last - date.min)
    if first > last:
        raise BadParameter("from", f"is after {last}, where the report ends")
    if (last - first).days >= DAYS_MAX:
        raise BadParameter("from", f"a report is of at most {DAYS_MAX} days")
    return Days(first, last)


def average_relative_change(log_ratio_sum: Decimal, compared: int) -> float | None:
    """From the geometric mean of new / old: 0.05 is 5 % up. None if no price can be compared.

    Up and down again gives 0, which an average of percentages does not.
    """
    if not compared:
        return None
    return round(math.expm1(float(log_ratio_sum) / compared), _RATIO_PLACES)
