"""A batch has a trace of its own, and each sampled event has the work in its own trace, too."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from opentelemetry.trace import StatusCode

from shared.contract.recorded_event import EventMetadata, RecordedEvent
from shared.telemetry.batches import (
    CONTINUED_SECONDS_MAX,
    EVENT_SPANS_PER_BATCH_MAX,
    BatchTrace,
    TracedEvent,
    event_span,
    traced,
)
from shared.telemetry.spans import SpanKind
from shared.telemetry.trace_context import TraceContext, new_trace_context
from shared.telemetry.tracing import LINKS_MAX, span
from tests.recorded_spans import (
    SAMPLED,
    UNSAMPLED,
    links_of,
    parent_id_of,
    recorded_spans,
    span_id_of,
    trace_id_of,
)


def _event(traceparent: str | None, age_seconds: float = 0.0) -> RecordedEvent:
    metadata = EventMetadata(event_id=uuid4(), correlation_id="c", traceparent=traceparent)
    recorded_at = datetime.now(UTC) - timedelta(seconds=age_seconds)
    return RecordedEvent(7, uuid4(), 2, "product-created", 2, b"{}", metadata, recorded_at)


def _traced(*contexts: TraceContext) -> list[TracedEvent]:
    return [one for context in contexts if (one := traced(_event(context.header))) is not None]


def _batch(events: list[TracedEvent]) -> BatchTrace:
    return BatchTrace("process batch", "process", SpanKind.CONSUMER, events)


@pytest.mark.parametrize("header", [None, "", UNSAMPLED.header, "nonsense1", SAMPLED.header + "-more1"])
def test_an_event_that_is_not_sampled_is_not_traced(header: str | None) -> None:
    assert traced(_event(header)) is None


def test_a_sampled_event_is_traced_with_what_identifies_it() -> None:
    event = _event(SAMPLED.header, age_seconds=2)
    found = traced(event)
    assert found is not None
    assert (found.context, found.is_continued) == (SAMPLED, True)
    attributes = dict(found.attributes)
    assert float(str(attributes.pop("catalogue.seconds_since_recorded"))) >= 2
    assert attributes == {
        "catalogue.product_id": str(event.product_id),
        "catalogue.event_type": "product-created",
        "catalogue.stream_version": 2,
        "catalogue.log_position": 7,
    }


def test_an_old_or_replayed_event_is_linked_and_not_continued() -> None:
    old = traced(_event(SAMPLED.header, CONTINUED_SECONDS_MAX + 60))
    replayed = traced(_event(SAMPLED.header), is_replay=True)
    for one in (old, replayed):
        assert one is not None
        with recorded_spans(ratio=0) as spans, _batch([one]):
            pass
        assert spans.names == ["process batch"]
        assert links_of(spans.one("process batch")) == {SAMPLED.span_id}


def test_the_work_on_a_batch_is_in_the_trace_of_each_sampled_event() -> None:
    other = new_trace_context().sampled(True)
    with (
        recorded_spans(ratio=0) as spans,
        _batch(_traced(SAMPLED, other)),
        span("write", SpanKind.CLIENT, {"a": 1}),
    ):
        pass
    batch = spans.one("process batch")
    assert links_of(batch) == {SAMPLED.span_id, other.span_id}
    assert trace_id_of(batch) not in (SAMPLED.trace_id, other.trace_id)
    processed = {trace_id_of(one): one for one in spans.many("process")}
    assert {one: parent_id_of(processed[one.trace_id]) for one in (SAMPLED, other)} == {
        SAMPLED: SAMPLED.span_id,
        other: other.span_id,
    }
    written = spans.many("write")
    parents = {span_id_of(one) for one in (batch, *processed.values())}
    assert {parent_id_of(one) for one in written} == parents
    assert len({(one.start_time, one.end_time) for one in written}) == 1
    assert all(dict(one.attributes or {}) == {"a": 1} for one in written)
    for one in processed.values():
        assert links_of(one) == {span_id_of(batch)}


def test_a_batch_without_a_sampled_event_leaves_nothing() -> None:
    with recorded_spans(ratio=1) as spans, _batch([]) as batch, span("write"):
        assert not batch.span.is_recorded
    assert spans.all == []


def test_a_batch_that_fails_is_recorded_whatever_is_sampled() -> None:
    with recorded_spans() as spans, pytest.raises(ZeroDivisionError), _batch([]), span("write"):
        raise ZeroDivisionError
    assert spans.names == ["write", "process batch"]


def test_a_failed_batch_is_a_failure_in_the_trace_of_each_event() -> None:
    with recorded_spans() as spans, pytest.raises(ZeroDivisionError), _batch(_traced(SAMPLED)), span("write"):
        raise ZeroDivisionError
    assert {one.status.status_code for one in spans.all} == {StatusCode.ERROR}
    assert sorted(spans.names) == ["process", "process batch", "write", "write"]


def test_the_stack_trace_of_a_failed_batch_is_made_once_and_not_for_each_event() -> None:
    """Made for 512 events, it held up the event loop for several seconds."""
    events = _traced(SAMPLED, new_trace_context().sampled(True))
    with recorded_spans() as spans, pytest.raises(ZeroDivisionError), _batch(events):
        raise ZeroDivisionError("no answer")
    assert [event.name for event in spans.one("process batch").events] == ["exception"]
    for one in spans.many("process"):
        assert one.events == ()
        assert one.status.description == "ZeroDivisionError: no answer"
        assert dict(one.attributes or {})["error.type"] == "ZeroDivisionError"


def test_one_failure_of_many_events_is_made_into_text_alone() -> None:
    events = _traced(SAMPLED, new_trace_context().sampled(True))
    with recorded_spans() as spans, _batch(events) as batch:
        batch.failures = dict.fromkeys(range(2), ZeroDivisionError("not confirmed"))
    assert [one.events for one in spans.many("process")] == [(), ()]


def test_one_event_may_fail_alone() -> None:
    other = new_trace_context().sampled(True)
    with recorded_spans() as spans, _batch(_traced(SAMPLED, other)) as batch:
        batch.failures = {1: "not confirmed"}
    statuses = {trace_id_of(one): one.status.status_code for one in spans.many("process")}
    assert statuses == {SAMPLED.trace_id: StatusCode.UNSET, other.trace_id: StatusCode.ERROR}


def test_a_large_batch_has_a_limited_number_of_links_and_spans() -> None:
    (one,) = _traced(SAMPLED)
    count = EVENT_SPANS_PER_BATCH_MAX + 10
    with recorded_spans() as spans, _batch([one] * count):
        pass
    batch = spans.one("process batch")
    assert len(batch.links) == LINKS_MAX
    assert (batch.attributes or {})["catalogue.events_left_out"] == 10
    assert len(spans.many("process")) == EVENT_SPANS_PER_BATCH_MAX


def test_work_on_one_event_of_a_batch_is_in_the_events_trace() -> None:
    other = new_trace_context().sampled(True)
    with recorded_spans(ratio=0) as spans, _batch(_traced(SAMPLED, other)):
        with event_span("notify", SpanKind.CONSUMER, _event(SAMPLED.header)), span("send mail"):
            pass
        with event_span("left out", SpanKind.CONSUMER, _event(UNSAMPLED.header)):
            pass
    notified = spans.one("notify")
    assert (trace_id_of(notified), parent_id_of(notified)) == (SAMPLED.trace_id, SAMPLED.span_id)
    assert parent_id_of(spans.one("send mail")) == span_id_of(notified)
    assert len(spans.many("left out")) == 3, "a part of the batch"


def test_while_tracing_is_off_a_batch_costs_nothing() -> None:
    with _batch([]) as batch, event_span("notify", SpanKind.CONSUMER, _event(SAMPLED.header)) as one:
        assert batch.span is one
