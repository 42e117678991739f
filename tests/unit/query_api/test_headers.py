"""What request headers mean: entity tags, preferences, request ids."""

import pytest

from query_api.consistency.http import preferred_wait
from query_api.http.request_context import context_of, request_id_of
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


@pytest.mark.parametrize("unusable", [None, b"", b"x" * 129, b"\xe4", b"a\tb"])
def test_an_unusable_request_id_is_replaced_by_a_new_one_each_time(unusable: bytes | None) -> None:
    made = {request_id_of(unusable) for _ in range(3)}
    assert len(made) == 3
    assert unusable not in made


def test_the_callers_trace_is_kept_and_a_broken_one_replaced() -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    assert context_of([(b"traceparent", f"00-{trace_id}-00f067aa0ba902b7-01".encode())]).trace_id == trace_id
    assert len(context_of([(b"traceparent", b"nonsense")]).trace_id) == 32
