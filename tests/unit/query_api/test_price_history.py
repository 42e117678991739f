"""Prices over time, and the lowest one in a number of days: what counts, and what does not."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from query_api.errors import BadParameter, PriceNotFound
from query_api.history.price_history import PriceQuery, days_before
from query_api.history.reader import Reader
from shared.contract import events as e
from tests.past_events import BEGAN, created, past_events, priced, variant
from tests.unit.query_api.history_reads import ALL, READER, Past

PUBLISHED, ARCHIVED, RESTORED = e.ProductPublished(), e.ProductArchived(), e.ProductRestored()


async def lowest(
    past: Past, product_id: UUID, before: float | None = None, days: int = 30, **query: Any
) -> tuple[str, float] | None:
    """(amount, days after the beginning); `before` in days after the beginning, too."""
    now = BEGAN + timedelta(100)
    ends = None if before is None else BEGAN + timedelta(before)
    times = days_before(now, ends, days)
    try:
        found = await past.prices.lowest(PriceQuery(product_id=product_id, **query), times, ALL, None)
    except PriceNotFound:
        return None
    return found.price.amount, (found.at - BEGAN) / timedelta(1)


@pytest.mark.parametrize(
    ("history", "before", "expected"),
    [
        # The price at the beginning of the days counts, and holds from there on.
        ([created(), PUBLISHED, priced("12.00")], 20, ("10.00", 1)),
        ([created(), PUBLISHED, priced("12.00")], 31.5, ("10.00", 1.5)),
        ([created(), PUBLISHED, priced("12.00")], 32, ("12.00", 2)),
        # What begins at the reduction itself does not count, nor what comes after.
        ([created(), PUBLISHED, priced("8.00")], 2, ("10.00", 1)),
        ([created(), PUBLISHED, priced("8.00"), priced("5.00")], 2.5, ("8.00", 2)),
        # Of equal ones the first.
        ([created(), PUBLISHED, priced("8.00"), priced("9.00"), priced("8.00")], 10, ("8.00", 2)),
        # 9.00 is less than 10.00, though not as text.
        ([created(), PUBLISHED, priced("9.00")], 10, ("9.00", 2)),
        # A draft and an archived product are not for sale.
        ([created(), priced("1.00"), priced("11.00"), PUBLISHED], 10, ("11.00", 3)),
        ([created(), PUBLISHED, ARCHIVED, priced("1.00"), priced("12.00"), RESTORED], 10, ("10.00", 1)),
        ([created(), PUBLISHED, ARCHIVED], 40, None),
        ([created()], 10, None),
        ([created(), PUBLISHED], 0.5, None),
        ([created(), PUBLISHED], 1, None),
        ([created(), PUBLISHED, e.ProductDeleted()], 10, ("10.00", 1)),
        ([created(), PUBLISHED], -40, None),
    ],
)
async def test_the_lowest_price_is_of_what_was_for_sale_in_the_days(
    history: list[e.ProductEvent], before: float, expected: tuple[str, float] | None
) -> None:
    past = Past()
    assert await lowest(past, await past.happened(*history), before) == expected


async def test_without_an_end_what_holds_now_counts() -> None:
    past = Past()
    product_id = await past.happened(created(), PUBLISHED, priced("8.00"), priced("12.00"))
    assert await lowest(past, product_id, None) == ("12.00", 70)
    assert await lowest(past, product_id, None, days=98) == ("8.00", 2)


async def test_without_an_end_an_event_of_a_clock_that_is_ahead_counts() -> None:
    past = Past()
    ahead = datetime.now(UTC) + timedelta(seconds=30)
    events = past_events(created(), PUBLISHED, priced("8.00"), times=[BEGAN, BEGAN, ahead])
    product_id = await past.log.append(events)
    times = days_before(datetime.now(UTC), None, 30)
    found = await past.prices.lowest(PriceQuery(product_id=product_id), times, ALL, None)
    assert (found.price.amount, found.at) == ("8.00", ahead)


async def test_a_price_that_was_replaced_at_once_was_never_asked_for() -> None:
    past = Past()
    times = [BEGAN, BEGAN, BEGAN + timedelta(1), BEGAN + timedelta(1)]
    events = past_events(created(), PUBLISHED, priced("1.00"), priced("9.00"), times=times)
    assert await lowest(past, await past.log.append(events), 10) == ("9.00", 1)


async def test_a_variant_that_went_and_came_again_has_a_gap() -> None:
    past = Past()
    product_id = await past.happened(
        created(variant("A", "5.00"), variant("B", "6.00")), PUBLISHED, e.VariantRemoved("A"),
        e.VariantAdded("A", {}, e.Money("7.00", "EUR")),
    )  # fmt: skip
    assert await lowest(past, product_id, 10, sku="A") == ("5.00", 1)
    assert await lowest(past, product_id, 40, days=7, sku="A") == ("7.00", 33)
    assert await lowest(past, product_id, 3, days=1, sku="A") is None
    assert await lowest(past, product_id, 3, days=1) == ("6.00", 2)
    assert await lowest(past, product_id, 10, sku="C") is None


async def test_a_price_in_another_currency_is_a_gap_and_is_never_compared() -> None:
    past = Past()
    product_id = await past.happened(created(), PUBLISHED, priced("900", currency="JPY"))
    assert await lowest(past, product_id, 10, currency="EUR") == ("10.00", 1)
    assert await lowest(past, product_id, 10, currency="JPY") == ("900", 2)
    assert await lowest(past, product_id, 10, currency="USD") is None
    assert await lowest(past, product_id, 2, currency="JPY") is None
    with pytest.raises(BadParameter, match="EUR and JPY"):
        await lowest(past, product_id, 10)


async def test_more_events_in_the_days_than_one_request_may_fold_are_refused() -> None:
    past = Past(events_max=5)
    product_id = await past.happened(created(), PUBLISHED, *[priced("9.00")] * 5)
    assert await lowest(past, product_id, 4) == ("9.00", 2)
    with pytest.raises(BadParameter, match="fewer days"):
        await lowest(past, product_id, 10)


async def points(
    past: Past, product_id: UUID, limit: int = 200, reader: Reader = ALL, **query: Any
) -> list[Any]:
    found: list[Any] = []
    cursor = None
    while True:
        page = await past.prices.page(PriceQuery(product_id=product_id, **query), cursor, limit, reader, None)
        assert len(page.points) <= limit
        found += [
            (one.stream_version, one.sku, one.price and one.price.amount, one.is_for_sale)
            for one in page.points
        ]
        cursor = page.next_cursor
        if cursor is None:
            return found


LIFE = (
    created(variant("B"), variant("A")), PUBLISHED, priced("8.00", "A"), e.ProductDetailsChanged(name="New"),
    ARCHIVED, priced("7.00", "A"), RESTORED, e.VariantRemoved("B"),
)  # fmt: skip
POINTS = [
    (8, "B", None, False), (7, "A", "7.00", True), (7, "B", "10.00", True), (6, "A", "7.00", False),
    (5, "A", "8.00", False), (5, "B", "10.00", False), (3, "A", "8.00", True), (2, "A", "10.00", True),
    (2, "B", "10.00", True), (1, "A", "10.00", False), (1, "B", "10.00", False),
]  # fmt: skip


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
async def test_prices_over_time_are_there_once_newest_first_whatever_the_limit(limit: int) -> None:
    past = Past()
    product_id = await past.happened(*LIFE)
    assert await points(past, product_id, limit) == POINTS
    assert await points(past, product_id, limit, sku="A") == [one for one in POINTS if one[1] == "A"]
    assert await points(past, product_id, limit, currency="USD") == []


async def test_a_reader_without_drafts_learns_of_no_price_that_was_not_for_sale() -> None:
    past = Past()
    product_id = await past.happened(*LIFE)
    assert await points(past, product_id, reader=READER) == [
        (8, "B", None, False), (7, "A", "7.00", True), (7, "B", "10.00", True), (5, "A", None, False),
        (5, "B", None, False), (3, "A", "8.00", True), (2, "A", "10.00", True), (2, "B", "10.00", True),
    ]  # fmt: skip


async def test_a_long_stream_is_paged_by_versions() -> None:
    past = Past(events_max=5000)
    amounts = [f"{1 + number}.00" for number in range(1200)]
    product_id = await past.happened(created(), *[priced(amount) for amount in amounts])
    found = await points(past, product_id)
    assert [one[2] for one in found] == [*reversed(amounts), "10.00"]


def test_days_that_are_not_there_are_refused() -> None:
    with pytest.raises(BadParameter, match="before"):
        days_before(BEGAN, datetime(1, 1, 2, tzinfo=UTC), 30)
