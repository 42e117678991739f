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
    return KeptPage(body, (), NOW, made_at, is_everybodys=True)


def pages(clock: Clock, bytes_max: int = 1_000_000) -> KeptPages:
    return KeptPages(bytes_max=bytes_max, ttl_seconds=TTL_SECONDS, now=clock)


def test_a_page_is_found_by_its_query_until_it_ends() -> None:
    clock = Clock()
    kept, one = pages(clock), page()
    kept.keep(b"limit=1", one)
    assert (kept.get(b"limit=1"), kept.get(b"limit=2"), kept.get(b"")) == (one, None, None)
    clock.seconds += TTL_SECONDS - 0.1
    assert kept.get(b"limit=1") is one
    assert kept.age_seconds(one) == 9
    clock.seconds += 0.2
    assert kept.get(b"limit=1") is None


@pytest.mark.parametrize("ahead", [0.5, 3600.0])
def test_a_page_from_a_clock_that_is_ahead_is_not_used(ahead: float) -> None:
    kept = pages(Clock())
    kept.keep(b"", page(made_at=1000.0 + ahead))
    assert kept.get(b"") is None


@pytest.mark.parametrize(("number", "is_right"), [(b"7", True), (b"8", False), (b"6", False), (None, False)])
def test_a_page_of_another_number_goes(number: Any, is_right: bool) -> None:
    kept, one = pages(Clock()), page()
    kept.keep(b"", one)
    assert kept.is_present(b"", one, number) is is_right
    assert kept.get(b"") is (one if is_right else None)


def test_an_answer_about_an_old_page_does_not_remove_the_new_one() -> None:
    """Two readers wait for Redis with the old page; the first one has made a new one meanwhile."""
    kept, old, new = pages(Clock()), page(), page(b"[]")
    kept.keep(b"", old)
    kept.keep(b"", new)
    assert not kept.is_present(b"", old, b"8")
    assert kept.get(b"") is new


def test_the_oldest_makes_room_and_what_is_too_large_is_not_kept() -> None:
    body = b"x" * 1000
    kept = pages(Clock(), bytes_max=2 * (OVERHEAD_BYTES + 1000))
    for query in (b"1", b"2", b"1", b"3"):
        kept.keep(query, page(body))
    assert [query for query in (b"1", b"2", b"3") if kept.get(query)] == [b"1", b"3"]
    kept.keep(b"4", page(b"x" * 20_000))
    assert [query for query in (b"1", b"3", b"4") if kept.get(query)] == [b"1", b"3"]


def test_nothing_is_kept_without_bytes() -> None:
    kept = pages(Clock(), bytes_max=0)
    kept.keep(b"", page())
    assert kept.get(b"") is None
