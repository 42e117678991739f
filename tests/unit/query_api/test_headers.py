"""What request headers mean: entity tags and preferences."""

import pytest

from query_api.consistency.http import preferred_wait
from query_api.products.http.product_answer import matches


@pytest.mark.parametrize(
    ("if_none_match", "expected"),
    [(b'"3"', True), (b'W/"3"', True), (b'"1", "3"', True), (b'"1",W/"3" ,"4"', True), (b"*", True),
     (b" * ", True), (b"3", False), (b'"33"', False),

     (b'"3', False), (b"", False), (b'"*"', False), (b'w/"3"', False)],
)  # fmt: skip
def test_if_none_match_compares_weakly(if_none_match: bytes, expected: bool) -> None:
    assert matches(if_none_match, b'"3"') is expected


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [([], None), (["wait=2"], 2), (["respond-async", "wait=3"], 3), (["wait=1, wait=9"], 1),
     (['Wait="7"'], 7),
     (["wait=5; foo=bar"], 5), (["wait=x"], None), (["wait=9999999999"], None), (["wait=٣"], None)],
)  # fmt: skip
def test_a_wait_preference_is_read_or_ignored(prefer: list[str], seconds: int | None) -> None:
    assert preferred_wait(prefer) == seconds
