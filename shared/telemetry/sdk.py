"""Records spans with OpenTelemetry's SDK. Imported only when tracing is on.

Our spans have their ids before the SDK knows them, and what is sampled is decided where a trace begins: the
SDK records whatever it is given here.
"""

import os
import random
import re
import threading
from collections.abc import Sequence
from typing import cast

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Decision, Sampler
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import (
    SpanKind as OtelKind,
)

from shared.telemetry.conventions import ERROR_TYPE
from shared.telemetry.spans import (
    NOTHING,
    PARTS_KEPT_MAX,
    Attributes,
    Failure,
    LiveSpan,
    Part,
    SpanKind,
    Tracer,
)
from shared.telemetry.spans import Span as AnySpan
from shared.telemetry.trace_context import TraceContext

_ATTRIBUTE_CHARACTERS_MAX = 4_096
_KINDS = {kind: OtelKind[kind.name] for kind in SpanKind}
_NO_PARENT = Context()


class _GivenIds(IdGenerator):
    """The ids that are set last: a span has its ids before the SDK knows it."""

    trace_id = span_id = 0

    def generate_span_id(self) -> int:
        return self.span_id

    def generate_trace_id(self) -> int:
        return self.trace_id


class SdkTracer:
    """A `Tracer`. Not for threads: all spans of a process begin on its event loop.

    `sampler` None: the one that OTEL_TRACES_SAMPLER names.
    """

    def __init__(self, processor: SpanProcessor, resource: Resource, sampler: Sampler | None = None) -> None:
        self._sampler = TracerProvider(sampler, shutdown_on_exit=False).sampler
        self._ratio = _ratio(self._sampler)
        self._ids = _GivenIds()
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=resource,
            shutdown_on_exit=False,
            id_generator=self._ids,
            span_limits=_limits(),
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("catalogue")

    def samples(self, name: str, kind: SpanKind, parent: TraceContext | None, trace_id: str) -> bool:
        around = _NO_PARENT if parent is None else _context_of(parent)
        result = self._sampler.should_sample(around, int(trace_id, 16), name, _KINDS[kind])
        return result.decision is Decision.RECORD_AND_SAMPLE

    def draws(self) -> bool:
        return random.random() < self._ratio  # noqa: S311 - spreads samples, guards nothing

    def record(
        self,
        name: str,
        kind: SpanKind,
        own: TraceContext,
        parent: TraceContext | None,
        attributes: Attributes,
        refusals: type[Exception] | None = None,
        began_ns: int | None = None,
    ) -> "RecordedSpan":
        self._ids.trace_id, self._ids.span_id = int(own.trace_id, 16), int(own.span_id, 16)
        span = self._tracer.start_span(
            name,
            _NO_PARENT if parent is None else _context_of(parent),
            _KINDS[kind],
            attributes,
            start_time=began_ns,
        )
        return RecordedSpan(self, own, kind, span, refusals)

    def stop(self, seconds_max: float) -> bool:
        """Send what is queued; false if that takes longer. No span is recorded after this."""
        stopping = threading.Thread(target=self._provider.shutdown, daemon=True, name="traces-stop")
        stopping.start()
        stopping.join(seconds_max)
        return not stopping.is_alive()


class RecordedSpan(LiveSpan):
    """A span in the SDK."""

    __slots__ = ("_failure", "_kind", "_own", "_parts", "_parts_above", "_span")
    is_recorded = True

    def __init__(
        self, tracer: Tracer, own: TraceContext, kind: SpanKind, span: Span, refusals: type[Exception] | None
    ) -> None:
        super().__init__(tracer, refusals)
        self._own = own
        self._kind = kind
        self._span = span
        self._failure: str | None = None
        self._parts: list[Part] | None = None
        self._parts_above: list[Part] | None = None

    @property
    def context(self) -> TraceContext:
        return self._own

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def event(self, name: str, attributes: Attributes = NOTHING) -> None:
        self._span.add_event(name, attributes)

    def link(self, context: TraceContext) -> None:
        self._span.add_link(_span_context(context))

    def fail(self, failure: Failure) -> None:
        if self._failure is not None:
            return
        self._failure = failure if isinstance(failure, str) else f"{type(failure).__name__}: {failure}"
        if isinstance(failure, Exception):
            self._span.record_exception(failure)
            self._span.set_attribute(ERROR_TYPE, type(failure).__qualname__)
        self._span.set_status(Status(StatusCode.ERROR, self._failure))

    def child(
        self, name: str, kind: SpanKind, attributes: Attributes, refusals: type[Exception] | None
    ) -> AnySpan:
        made = self._tracer.record(name, kind, self._own.child(), self._own, attributes, refusals)
        assert isinstance(made, RecordedSpan)
        made._parts_above = self._parts
        return made

    def keep_parts(self) -> Sequence[Part]:
        self._parts = []
        return self._parts

    def end(self, at_ns: int | None = None) -> None:
        self._span.end(at_ns)
        if self._parts_above is not None and len(self._parts_above) < PARTS_KEPT_MAX:
            self._parts_above.append(self._as_part())

    def _as_part(self) -> Part:
        span = self._span
        assert isinstance(span, ReadableSpan)
        attributes = cast(Attributes, span.attributes or {})
        return Part(
            span.name, self._kind, span.start_time or 0, span.end_time or 0, attributes, self._failure
        )


def _ratio(sampler: Sampler) -> float:
    """The ratio of new traces that it samples, by its description; 0 for a sampler that is not the SDK's."""
    description = sampler.get_description()
    found = re.search(r"^(?:ParentBased\{root:)?TraceIdRatioBased\{([^}]+)\}", description)
    if found is not None:
        return float(found[1])
    return 1.0 if re.search(r"^(?:ParentBased\{root:)?AlwaysOnSampler", description) else 0.0


def _limits() -> SpanLimits:
    """The SDK has no limit for the length of an attribute unless one is set."""
    given = {
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    } & os.environ.keys()
    return SpanLimits() if given else SpanLimits(max_attribute_length=_ATTRIBUTE_CHARACTERS_MAX)


def _span_context(context: TraceContext) -> SpanContext:
    return SpanContext(
        int(context.trace_id, 16),
        int(context.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(context.flags),
    )


def _context_of(parent: TraceContext) -> Context:
    return set_span_in_context(NonRecordingSpan(_span_context(parent)), _NO_PARENT)
