"""Which days a report is of, and what an average of ratios says."""

import math
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query_api.cursors import Cursors
from query_api.errors import BadParameter
from query_api.reports.analytics import DAYS_DEFAULT, DAYS_MAX, average_relative_change, chosen_days
from query_api.reports.http.analytics_schemas import ChangesParameters, PricesParameters
from query_api.reports.http.list_schemas import CategoryParameters, StockParameters
from query_api.reports.ports import BrandQuery, CategoryQuery, ChangesQuery, Days, GroupPosition, PricesQuery

TODAY = date(2026, 3, 31)


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        (None, None, Days(date(2026, 3, 2), TODAY)),
        (None, date(2026, 1, 30), Days(date(2026, 1, 1), date(2026, 1, 30))),
        (date(2026, 3, 31), None, Days(TODAY, TODAY)),
        (date(2025, 3, 31), None, Days(date(2025, 3, 31), TODAY)),
        (None, date(1, 1, 2), Days(date(1, 1, 1), date(1, 1, 2))),
        (date(9999, 12, 1), date(9999, 12, 31), Days(date(9999, 12, 1), date(9999, 12, 31))),
    ],
)
def test_days_that_are_not_given_follow_from_today(first: date | None, last: date | None, days: Days) -> None:
    assert chosen_days(ChangesQuery(from_day=first, to_day=last), TODAY) == days


@given(st.dates(), st.dates(), st.dates())
def test_a_report_is_of_at_least_a_day_and_of_no_more_than_the_bound(
    first: date, last: date, today: date
) -> None:
    query = ChangesQuery(from_day=first, to_day=last)
    if timedelta(0) <= last - first < timedelta(DAYS_MAX):
        assert chosen_days(query, today) == Days(first, last)
    else:
        with pytest.raises(BadParameter, match="from"):
            chosen_days(query, today)
    shown = chosen_days(ChangesQuery(to_day=last), today)
    assert shown.last == last
    assert (shown.last - shown.first).days == min(DAYS_DEFAULT - 1, (last - date.min).days)


@pytest.mark.parametrize(
    ("ratios", "average"),
    [([2.0, 0.5], 0.0), ([1.1], 0.1), ([1.1, 1.1], 0.1), ([0.9, 0.9], -0.1), ([], None), ([4.0, 1.0], 1.0)],
)
def test_an_average_is_the_geometric_mean_of_the_ratios_less_one(
    ratios: list[float], average: float | None
) -> None:
    total = sum((round(Decimal(math.log(ratio)), 12) for ratio in ratios), start=Decimal(0))
    assert average_relative_change(total, len(ratios)) == average


def test_two_spellings_of_a_name_make_one_report() -> None:
    for parameters in (ChangesParameters, PricesParameters):
        one, other = (
            parameters.model_validate({"brand": name, "category": name}).query()
            for name in ("caf\u00e9", "cafe\u0301")
        )
        assert one == other
    skus = [StockParameters(sku=name).query() for name in ("caf\u00e9", "cafe\u0301")]
    parents = [CategoryParameters(parent=name).query() for name in ("caf\u00e9", "cafe\u0301")]
    assert (skus[0], parents[0]) == (skus[1], parents[1])


def test_a_cursor_keeps_the_days_whatever_today_is_then() -> None:
    cursors, query = Cursors(b"key", GroupPosition), ChangesQuery(group_by="brand")
    position = GroupPosition(None, "EUR", Days(date(2026, 1, 1), TODAY))
    assert cursors.decode(cursors.encode(position, query), query) == position


def test_equal_filters_of_two_reports_are_not_the_same() -> None:
    cursors = Cursors(b"key", GroupPosition)
    cursor = cursors.encode(GroupPosition("a", "", Days(TODAY, TODAY)), ChangesQuery())
    with pytest.raises(BadParameter):
        cursors.decode(cursor, PricesQuery())
    cursor = cursors.encode(GroupPosition("a", "", Days(TODAY, TODAY)), BrandQuery(statuses=("active",)))
    with pytest.raises(BadParameter):
        cursors.decode(cursor, CategoryQuery(statuses=("active",)))


def test_a_cursor_of_another_shape_is_refused_and_no_error_of_ours() -> None:
    query = BrandQuery(statuses=("active",))
    cursor = Cursors(b"key", Days).encode(Days(TODAY, TODAY), query)
    with pytest.raises(BadParameter, match="cursor"):
        Cursors(b"key", GroupPosition).decode(cursor, query)
