"""Begins spans. `span` is a part of the present work, `trace` the first span of this process in a trace, and
`past_span` is about work that has ended and belongs to several traces at once: a batch.

Tracing is on while there is a tracer (`otlp.py` makes it). The sampling decision is made once, where a trace
begins, and goes with the trace context through the log and Kafka.
"""

from collections.abc import Iterable

from shared.telemetry.spans import (
    NO_SPAN,
    NOTHING,
    Attributes,
    Failure,
    Span,
    SpanKind,
    Tracer,
    UnsampledSpan,
    present_span,
)
from shared.telemetry.trace_context import TraceContext, new_trace_context

LINKS_MAX = 128
"""The SDK's limit for one span."""
_tracer: Tracer | None = None


def use_tracer(tracer: Tracer | None) -> None:
    """Record spans from now on with this tracer; None: tracing is off."""
    global _tracer
    _tracer = tracer


def is_tracing() -> bool:
    """Whether spans are recorded at all."""
    return _tracer is not None


def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Attributes = NOTHING,
    *,
    refusals: type[Exception] | None = None,
) -> Span:
    """A part of the present span's work; nothing if there is none. For a `with` statement."""
    return present_span().child(name, kind, attributes, refusals)


def trace(
    name: str,
    kind: SpanKind,
    parent: TraceContext | None = None,
    attributes: Attributes = NOTHING,
    *,
    refusals: type[Exception] | None = None,
    is_sampled: bool | None = None,
    began_ns: int | None = None,
) -> Span:
    """The first span of this process in the trace of `parent`, or in a new one. For a `with` statement.

    `is_sampled` None: the sampler decides. `began_ns`: nanoseconds since 1970; None: it begins now.
    """
    if _tracer is None:
        return NO_SPAN
    own = new_trace_context() if parent is None else parent.child()
    if is_sampled is None:
        is_sampled = _tracer.samples(name, kind, parent, own.trace_id)
    own = own.sampled(is_sampled)
    if is_sampled:
        return _tracer.record(name, kind, own, parent, attributes, refusals, began_ns)
    return UnsampledSpan(_tracer, name, kind, attributes, refusals, own=own, parent=parent, began_ns=began_ns)


def is_chosen(name: str, kind: SpanKind, parent: TraceContext | None) -> bool:
    """Whether the sampler wants a span in the trace of `parent`, or at the beginning of a new trace.

    For work of microseconds that has no span before it is done; without a parent it costs a random number.
    """
    if _tracer is None:
        return False
    return _tracer.draws() if parent is None else _tracer.samples(name, kind, parent, parent.trace_id)


def past_span(
    name: str,
    kind: SpanKind,
    parent: TraceContext | None,
    began_ns: int,
    ended_ns: int,
    attributes: Attributes = NOTHING,
    *,
    links: Iterable[TraceContext] = (),
    failure: Failure | None = None,
) -> Span:
    """Record a span of work that has ended, whatever was sampled. Returns it, so that it can be a parent.

    `parent` None: it begins a trace.
    """
    if _tracer is None:
        return NO_SPAN
    own = (parent.child() if parent is not None else new_trace_context()).sampled(True)
    recorded = _tracer.record(name, kind, own, parent, attributes, began_ns=began_ns)
    for link in links:
        recorded.link(link)
    if failure is not None:
        recorded.fail(failure)
    recorded.end(ended_ns)
    return recorded
