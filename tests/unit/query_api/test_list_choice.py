"""Which lists the table answers, and that a cursor goes back to the side that gave it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs

from query_api.cursors import Cursors
from query_api.products.list_choice import ListChoice, is_short_walk
from query_api.products.ports import ListFilters, PagePosition
from query_api.search.query import HitPosition, SearchFilters

ALL = ("active", "archived", "draft")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OF_TABLE, OF_INDEX = Cursors(b"key", PagePosition), Cursors(b"key", HitPosition)


def _same(filters: ListFilters) -> SearchFilters:
    return SearchFilters(**structs.asdict(filters))


@pytest.mark.parametrize(
    "filters",
    [
        {}, {"sort": "updated_at"}, {"sort": "name"}, {"sort": "-name"}, {"statuses": ALL},
        {"statuses": ("draft",), "sort": "name"}, {"statuses": ("active", "draft")},
        {"updated_after": NOON}, {"updated_after": NOON, "sort": "updated_at", "statuses": ALL},
        {"product_ids": (UUID(int=1),)}, {"sku": "A"},
        {"product_ids": (UUID(int=1),), "brand": "B", "sort": "price", "currency": "USD"},
        {"product_ids": (UUID(int=1),), "statuses": ("draft",)},
        {"sku": "A", "tag": "new", "category": "a/b", "sort": "name"},
    ],
)  # fmt: skip
def test_the_table_answers_what_one_of_its_indexes_has_in_order_and_named_products(
    filters: dict[str, Any],
) -> None:
    assert is_short_walk(ListFilters(**filters))


@pytest.mark.parametrize(
    "filters",
    [
        {"category": "a"}, {"brand": "B"}, {"tag": "new"}, {"currency": "USD"},
        {"currency": "USD", "price_min": Decimal(5)}, {"currency": "USD", "sort": "price"},
        {"currency": "USD", "sort": "-price"}, {"statuses": ("draft",), "brand": "B"},
        {"updated_after": NOON, "sort": "name"}, {"brand": "B", "tag": "new", "category": "a"},
    ],
)  # fmt: skip
def test_the_index_answers_what_the_table_may_have_to_look_for(filters: dict[str, Any]) -> None:
    listed = ListFilters(**filters)
    assert ListChoice(OF_TABLE, OF_INDEX).is_for_index(listed, _same(listed), None)
    assert not ListChoice(OF_TABLE, None).is_for_index(listed, _same(listed), None), "search is off"


@pytest.mark.parametrize("filters", [ListFilters(brand="B"), ListFilters()])
def test_a_cursor_goes_back_to_the_side_that_gave_it(filters: ListFilters) -> None:
    choice = ListChoice(OF_TABLE, OF_INDEX)
    of_table = OF_TABLE.encode(PagePosition("2026-01-01T00:00:00+00:00", UUID(int=1)), filters)
    of_index = OF_INDEX.encode(HitPosition(0, "0" * 48), _same(filters))
    assert not choice.is_for_index(filters, _same(filters), of_table)
    assert choice.is_for_index(filters, _same(filters), of_index)


@pytest.mark.parametrize(
    "cursor", ["AAAA", "x", OF_TABLE.encode(PagePosition("a", UUID(int=1)), ListFilters())]
)
def test_a_cursor_that_nobody_gave_changes_nothing(cursor: str) -> None:
    choice, narrow, wide = ListChoice(OF_TABLE, OF_INDEX), ListFilters(tag="new"), ListFilters(sort="name")
    assert choice.is_for_index(narrow, _same(narrow), cursor)
    assert not choice.is_for_index(wide, _same(wide), cursor)
