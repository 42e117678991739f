"""The memory for pages of lists: bounded, and no page is older than its time."""

from typing import Any

import pytest

from query_api.products.kept_pages import OVERHEAD_BYTES, KeptPage, KeptPages
from query_api.products.ports import ListGeneration

NOW = ListGeneration(None, b"7")
TTL_SECONDS = 10.0


class Clock:
    """Unix seconds, as the test says."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def page(body: bytes = b"{}", made_at: float = 1000.0) -> KeptPage:
    return KeptPage(body, (), NOW, made_at)


def pages(clock: Clock, bytes_max: int = 1_000_000) -> KeptPages:
    return KeptPages(bytes_max=bytes_max, ttl_seconds=TTL_SECONDS, now=clock)


def test_a_page_is_found_by_its_query_until_it_ends() -> None:
    clock = Clock()
    kept, one = pages(clock), page()
    kept.keep(b"limit=1", one, sees_all=True)
    assert (
        kept.get(b"limit=1", sees_all=True),
        kept.get(b"limit=2", sees_all=True),
        kept.get(b"", sees_all=True),
    ) == (one, None, None)
    clock.seconds += TTL_SECONDS - 0.1
    assert kept.get(b"limit=1", sees_all=True) is one
    assert kept.age_seconds(one.made_at) == 9
    clock.seconds += 0.2
    assert kept.get(b"limit=1", sees_all=True) is None


@pytest.mark.parametrize("ahead", [0.5, 3600.0])
def test_a_page_from_a_clock_that_is_ahead_is_not_used(ahead: float) -> None:
    kept = pages(Clock())
    kept.keep(b"", page(made_at=1000.0 + ahead), sees_all=True)
    assert kept.get(b"", sees_all=True) is None


@pytest.mark.parametrize(("number", "is_right"), [(b"7", True), (b"8", False), (b"6", False), (None, False)])
def test_a_page_of_the_table_is_right_at_its_number(number: Any, is_right: bool) -> None:
    assert pages(Clock()).is_right(page(), number) is is_right


def test_a_page_of_the_index_is_right_at_its_mark() -> None:
    mark, next_mark = object(), object()
    one = KeptPage(b"{}", (), mark, 1000.0)
    assert [pages(Clock()).is_right(one, each) for each in (mark, next_mark, None)] == [True, False, False]


def test_who_sees_drafts_has_pages_of_their_own() -> None:
    kept, of_all, of_some = pages(Clock()), page(b"[1]"), page(b"[]")
    kept.keep(b"", of_all, sees_all=True)
    assert kept.get(b"", sees_all=False) is None
    kept.keep(b"", of_some, sees_all=False)
    assert kept.get(b"", sees_all=True) is of_all
    assert kept.get(b"", sees_all=False) is of_some


def test_the_oldest_makes_room_and_what_is_too_large_is_not_kept() -> None:
    body = b"x" * 1000
    kept = pages(Clock(), bytes_max=2 * (OVERHEAD_BYTES + 1100))
    for query in (b"1", b"2", b"1", b"3"):
        kept.keep(query, page(body), sees_all=True)
    assert [query for query in (b"1", b"2", b"3") if kept.get(query, sees_all=True)] == [b"1", b"3"]
    kept.keep(b"4", page(b"x" * 20_000), sees_all=True)
    assert [query for query in (b"1", b"3", b"4") if kept.get(query, sees_all=True)] == [b"1", b"3"]


def test_long_addresses_count_too() -> None:
    kept = pages(Clock(), bytes_max=OVERHEAD_BYTES + 10_000)
    kept.keep(b"q=" + b"x" * 8000, page(), sees_all=True)
    assert kept.get(b"q=" + b"x" * 8000, sees_all=True) is None


def test_nothing_is_kept_without_bytes() -> None:
    kept = pages(Clock(), bytes_max=0)
    kept.keep(b"", page(), sees_all=True)
    assert kept.get(b"", sees_all=True) is None
