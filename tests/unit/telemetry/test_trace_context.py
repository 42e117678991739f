"""W3C trace context: what is valid goes on, what is not counts as absent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.telemetry.trace_context import TraceContext, new_trace_context, parse_traceparent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def hex_ids(digits: int) -> st.SearchStrategy[str]:
    return st.integers(1, 16**digits - 1).map(lambda number: f"{number:0{digits}x}")


@given(hex_ids(32), hex_ids(16), st.integers(0, 255))
def test_a_header_that_we_write_is_read_back_as_it_was(trace_id: str, span_id: str, flags: int) -> None:
    context = TraceContext(trace_id, span_id, flags)
    assert parse_traceparent(context.header) == context


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "garbage",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"0-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_an_invalid_header_counts_as_absent(value: str | None) -> None:
    assert parse_traceparent(value) is None


@given(st.text())
def test_no_header_is_an_error(value: str) -> None:
    parse_traceparent(value)


def test_a_later_version_may_bring_more_fields() -> None:
    assert parse_traceparent(f"01-{TRACE}-{SPAN}-01-more") == TraceContext(TRACE, SPAN, 1)


def test_a_child_stays_in_the_trace_with_a_span_of_its_own() -> None:
    parent = TraceContext(TRACE, SPAN, flags=0)
    child = parent.child()
    assert (child.trace_id, child.flags) == (TRACE, 0)
    assert child.span_id != SPAN
    assert parse_traceparent(child.header) == child


def test_every_new_trace_is_another_one_and_valid() -> None:
    traces = [new_trace_context() for _ in range(100)]
    assert len({trace.trace_id for trace in traces}) == 100
    assert all(parse_traceparent(trace.header) == trace for trace in traces)
