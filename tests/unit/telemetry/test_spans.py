"""Spans have the right place in their trace, sampled or not, and a failure is always recorded."""

import asyncio

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, DEFAULT_ON, Sampler
from opentelemetry.trace import SpanKind as OtelKind
from opentelemetry.trace import StatusCode

from shared.telemetry.sdk import SdkTracer
from shared.telemetry.spans import NO_SPAN, Span, SpanKind, present_span
from shared.telemetry.trace_context import TraceContext
from shared.telemetry.tracing import is_chosen, is_tracing, past_span, span, trace
from tests.recorded_spans import (
    SAMPLED,
    UNSAMPLED,
    links_of,
    parent_id_of,
    recorded_spans,
    span_id_of,
    trace_id_of,
)


class _Refused(Exception):
    pass


def test_while_tracing_is_off_every_span_is_the_same_object() -> None:
    assert not is_tracing()
    with trace("request", SpanKind.SERVER, SAMPLED) as first, span("part") as second:
        assert first is second is present_span() is NO_SPAN
        assert first.context is None
    assert past_span("past", SpanKind.CLIENT, SAMPLED, 1, 2) is NO_SPAN


def test_a_part_of_the_work_is_a_child_of_the_work_around_it() -> None:
    with recorded_spans() as spans:
        with trace("request", SpanKind.SERVER), span("part", SpanKind.CLIENT, {"a": 1}), span("smaller part"):
            pass
        with span("nobody's part"):
            pass
    request, part, smaller = spans.one("request"), spans.one("part"), spans.one("smaller part")
    assert parent_id_of(request) is None
    assert parent_id_of(part) == span_id_of(request)
    assert parent_id_of(smaller) == span_id_of(part)
    assert {trace_id_of(one) for one in (request, part, smaller)} == {trace_id_of(request)}
    assert (part.kind, dict(part.attributes or {})) == (OtelKind.CLIENT, {"a": 1})
    assert len(spans.all) == 3


def test_a_sampled_caller_is_followed_whatever_the_ratio() -> None:
    with recorded_spans(ratio=0) as spans, trace("request", SpanKind.SERVER, SAMPLED) as own:
        assert own.is_recorded
    request = spans.one("request")
    assert (trace_id_of(request), parent_id_of(request)) == (SAMPLED.trace_id, SAMPLED.span_id)
    assert own.context is not None
    assert own.context.header == f"00-{SAMPLED.trace_id}-{span_id_of(request)}-01"


def test_an_unsampled_caller_is_followed_whatever_the_ratio() -> None:
    with recorded_spans(ratio=1) as spans:
        with trace("request", SpanKind.SERVER, UNSAMPLED) as own, span("part") as part:
            assert not own.is_recorded
            assert not part.is_recorded
        assert own.context is not None
        assert part.context is not None
        assert own.context.header.endswith("-00")
        assert own.context.trace_id == part.context.trace_id == UNSAMPLED.trace_id
    assert spans.all == []


@pytest.mark.parametrize(("ratio", "recorded"), [(0, 0), (1, 20)])
def test_the_ratio_decides_about_new_traces(ratio: float, recorded: int) -> None:
    with recorded_spans(ratio) as spans:
        for _ in range(20):
            with trace("request", SpanKind.SERVER):
                pass
    assert len(spans.all) == recorded


@pytest.mark.parametrize("caller", [SAMPLED, UNSAMPLED, None])
def test_a_failure_is_recorded_with_its_cause_whatever_was_sampled(caller: TraceContext | None) -> None:
    def fail() -> Span:
        with trace("request", SpanKind.SERVER, caller) as own, span("part", attributes={"a": 1}) as part:
            begun.append(own)
            part.set({"b": 2})
            part.rename("better name")
            raise ZeroDivisionError("by zero")

    begun: list[Span] = []
    with recorded_spans(ratio=0) as spans, pytest.raises(ZeroDivisionError):
        fail()
    (own,) = begun
    request, failed = spans.one("request"), spans.one("better name")
    assert own.context is not None
    assert span_id_of(request) == own.context.span_id
    assert parent_id_of(failed) == span_id_of(request)
    assert request.status.status_code is failed.status.status_code is StatusCode.ERROR
    assert dict(failed.attributes or {}) == {"a": 1, "b": 2, "error.type": "ZeroDivisionError"}
    (event,) = failed.events
    assert event.name == "exception"
    assert failed.start_time is not None
    assert failed.end_time is not None
    assert failed.start_time <= failed.end_time


@pytest.mark.parametrize(("caller", "recorded"), [(SAMPLED, 1), (UNSAMPLED, 0)])
def test_a_refusal_is_an_answer_and_no_failure(caller: TraceContext, recorded: int) -> None:
    with (
        recorded_spans() as spans,
        pytest.raises(_Refused),
        trace("request", SpanKind.SERVER, caller, refusals=_Refused),
    ):
        raise _Refused
    assert len(spans.all) == recorded
    for one in spans.all:
        assert one.status.status_code is StatusCode.UNSET
        assert dict(one.attributes or {}) == {"error.type": "_Refused"}


async def test_a_cancelled_work_is_no_failure() -> None:
    async def work() -> None:
        with trace("request", SpanKind.SERVER):
            await asyncio.Event().wait()

    with recorded_spans() as spans:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    assert spans.one("request").status.status_code is StatusCode.UNSET


def test_the_first_failure_counts() -> None:
    with recorded_spans() as spans, trace("request", SpanKind.SERVER) as own:
        own.fail("broken")
        own.fail("answered with 500")
    assert spans.one("request").status.description == "broken"


async def test_tasks_that_run_side_by_side_keep_their_own_spans() -> None:
    async def work(name: str) -> None:
        with trace(name, SpanKind.SERVER):
            await asyncio.sleep(0)
            with span(f"part of {name}"):
                await asyncio.sleep(0)

    with recorded_spans() as spans:
        await asyncio.gather(*(work(str(number)) for number in range(5)))
    for number in range(5):
        assert parent_id_of(spans.one(f"part of {number}")) == span_id_of(spans.one(str(number)))


def test_work_that_has_ended_is_recorded_with_its_times_and_links() -> None:
    with recorded_spans(ratio=0) as spans:
        made = past_span(
            "past", SpanKind.CONSUMER, UNSAMPLED, 1_000, 3_000, {"a": 1}, links=[SAMPLED], failure="no"
        )
    past = spans.one("past")
    assert (past.start_time, past.end_time, parent_id_of(past)) == (1_000, 3_000, UNSAMPLED.span_id)
    assert links_of(past) == {SAMPLED.span_id}
    assert past.status.description == "no"
    assert made.context is not None
    assert made.context.span_id == span_id_of(past)


def test_an_event_in_a_span_has_its_attributes() -> None:
    with recorded_spans() as spans, trace("request", SpanKind.SERVER) as own:
        own.event("conflict", {"version": 3})
        own.link(SAMPLED)
    request = spans.one("request")
    assert [(event.name, dict(event.attributes or {})) for event in request.events] == [
        ("conflict", {"version": 3})
    ]
    assert links_of(request) == {SAMPLED.span_id}


def test_a_long_text_is_cut() -> None:
    with recorded_spans() as spans, trace("request", SpanKind.SERVER) as own:
        own.set({"a": "x" * 100_000})
    assert len(str((spans.one("request").attributes or {})["a"])) == 4_096


@pytest.mark.parametrize("ratio", [0.0, 0.25, 1.0])
def test_a_fast_path_draws_with_the_same_ratio(ratio: float) -> None:
    with recorded_spans(ratio):
        drawn = sum(is_chosen("read", SpanKind.SERVER, None) for _ in range(4_000))
        assert is_chosen("read", SpanKind.SERVER, SAMPLED)
        assert not is_chosen("read", SpanKind.SERVER, UNSAMPLED)
    assert abs(drawn - 4_000 * ratio) < 250
    assert not is_chosen("read", SpanKind.SERVER, SAMPLED), "tracing is off"


@pytest.mark.parametrize(("sampler", "always"), [(ALWAYS_ON, True), (DEFAULT_ON, True), (ALWAYS_OFF, False)])
def test_the_samplers_without_a_ratio_always_or_never_draw(sampler: Sampler, always: bool) -> None:
    tracer = SdkTracer(SimpleSpanProcessor(InMemorySpanExporter()), Resource.get_empty(), sampler)
    assert {tracer.draws() for _ in range(100)} == {always}
