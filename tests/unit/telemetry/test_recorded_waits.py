"""A long wait is a span; a short one, and one of a trace that is not sampled, is none."""

import time

import pytest
from opentelemetry.trace import StatusCode

from shared.telemetry import waits
from shared.telemetry.batches import BatchTrace, TracedEvent
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import trace
from shared.telemetry.waits import NANOSECONDS, WAIT_SPAN_SECONDS_MIN, Ready, record_wait, wait
from tests.recorded_spans import SAMPLED, UNSAMPLED, parent_id_of, recorded_spans, span_id_of

_LONG_NS = int(WAIT_SPAN_SECONDS_MIN * NANOSECONDS)


def test_a_long_wait_is_in_its_trace_and_a_short_one_is_not() -> None:
    with recorded_spans() as spans:
        record_wait(Ready("long", 5), SAMPLED, 5 + _LONG_NS, {"a": 1})
        record_wait(Ready("short", 5), SAMPLED, 4 + _LONG_NS)
    assert spans.names == ["long"]
    long = spans.one("long")
    assert (long.start_time, long.end_time) == (5, 5 + _LONG_NS)
    assert (parent_id_of(long), dict(long.attributes or {})) == (SAMPLED.span_id, {"a": 1})


def test_a_wait_is_a_part_of_the_present_span(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "WAIT_SPAN_SECONDS_MIN", 0)
    with recorded_spans() as spans:
        with trace("request", SpanKind.SERVER, SAMPLED), wait("wait for turn"):
            pass
        with trace("not sampled", SpanKind.SERVER, UNSAMPLED), wait("of nobody"):
            pass
        with wait("outside"):
            pass
    assert spans.names == ["wait for turn", "request"]
    assert parent_id_of(spans.one("wait for turn")) == span_id_of(spans.one("request"))


def test_a_wait_that_ends_with_an_error_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "WAIT_SPAN_SECONDS_MIN", 0)
    with (
        recorded_spans() as spans,
        trace("request", SpanKind.SERVER, SAMPLED),
        pytest.raises(ZeroDivisionError),
        wait("wait for turn"),
    ):
        raise ZeroDivisionError
    assert spans.one("wait for turn").status.status_code == StatusCode.ERROR


def test_an_event_that_waited_for_its_batch_has_the_wait_before_the_work() -> None:
    since_ns = time.time_ns() - 2 * _LONG_NS
    event = TracedEvent(SAMPLED, {"a": 1}, is_continued=True, ready=Ready("wait for relay", since_ns))
    with recorded_spans() as spans, BatchTrace("publish chunk", "publish", SpanKind.PRODUCER, [event]):
        pass
    waited, published = spans.one("wait for relay"), spans.one("publish")
    assert (waited.start_time, waited.end_time) == (since_ns, published.start_time)
    assert parent_id_of(waited) == parent_id_of(published) == SAMPLED.span_id
