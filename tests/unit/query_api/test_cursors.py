"""Cursors come back as they went out, and nothing else comes back at all."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query_api.cursors import Cursors
from query_api.errors import BadParameter
from query_api.products.ports import ListFilters, PagePosition

CURSORS = Cursors(b"key", PagePosition)
FILTERS = ListFilters(brand="B", sort="name")


@given(st.text(), st.uuids())
def test_a_cursor_gives_back_its_position(sort_value: str, product_id: UUID) -> None:
    position = PagePosition(sort_value, product_id)
    assert CURSORS.decode(CURSORS.encode(position, FILTERS), FILTERS) == position


@given(st.binary(max_size=80).map(lambda raw: raw.hex()) | st.text(alphabet="abcXYZ019-_", max_size=80))
def test_what_we_did_not_sign_is_refused(cursor: str) -> None:
    with pytest.raises(BadParameter, match="cursor"):
        CURSORS.decode(cursor, FILTERS)


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=63))
def test_a_changed_cursor_is_refused(at: int, by: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    cursor = CURSORS.encode(PagePosition("name", UUID(int=1)), FILTERS)
    at %= len(cursor) - 1  # the last character has bits that carry nothing
    changed = alphabet[(alphabet.index(cursor[at]) + by) % 64]
    with pytest.raises(BadParameter):
        CURSORS.decode(cursor[:at] + changed + cursor[at + 1 :], FILTERS)


@pytest.mark.parametrize(
    "other",
    [
        ListFilters(brand="B"),
        ListFilters(brand="C", sort="name"),
        ListFilters(sort="name"),
        ListFilters(tag="B", sort="name"),
        ListFilters(brand="B", sort="name", price_min=Decimal(1), currency="USD"),
        ListFilters(brand="B", sort="name", statuses=("draft",)),
    ],
)
def test_a_cursor_of_other_filters_is_refused(other: ListFilters) -> None:
    with pytest.raises(BadParameter):
        CURSORS.decode(CURSORS.encode(PagePosition("a", UUID(int=1)), FILTERS), other)


def test_a_cursor_of_another_key_is_refused() -> None:
    cursor = Cursors(b"other", PagePosition).encode(PagePosition("a", UUID(int=1)), FILTERS)
    with pytest.raises(BadParameter):
        CURSORS.decode(cursor, FILTERS)
