"""Records the spans of code under test in memory, with the real SDK."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from shared.telemetry.sdk import SdkTracer
from shared.telemetry.trace_context import TraceContext
from shared.telemetry.tracing import use_tracer

SAMPLED = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", 1)
UNSAMPLED = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", 0)


class RecordedSpans:
    """What was recorded so far."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def all(self) -> list[ReadableSpan]:
        """In the order in which they ended."""
        return list(self._exporter.get_finished_spans())

    @property
    def names(self) -> list[str]:
        """In the order in which they ended."""
        return [span.name for span in self.all]

    def one(self, name: str) -> ReadableSpan:
        """The only span of this name."""
        (found,) = [span for span in self.all if span.name == name]
        return found

    def many(self, name: str) -> list[ReadableSpan]:
        """All spans of this name."""
        return [span for span in self.all if span.name == name]


@contextmanager
def recorded_spans(ratio: float = 1.0) -> Iterator[RecordedSpans]:
    """Tracing is on in this block; `ratio` of the traces that begin here are sampled."""
    exporter = InMemorySpanExporter()
    sampler = ParentBased(TraceIdRatioBased(ratio))
    use_tracer(SdkTracer(SimpleSpanProcessor(exporter), Resource.get_empty(), sampler))
    try:
        yield RecordedSpans(exporter)
    finally:
        use_tracer(None)


def trace_id_of(span: ReadableSpan) -> str:
    """In hexadecimal digits."""
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


def span_id_of(span: ReadableSpan) -> str:
    """In hexadecimal digits."""
    assert span.context is not None
    return f"{span.context.span_id:016x}"


def parent_id_of(span: ReadableSpan) -> str | None:
    """In hexadecimal digits; None: it begins its trace."""
    return None if span.parent is None else f"{span.parent.span_id:016x}"


def links_of(span: ReadableSpan) -> set[str]:
    """The span ids that it is linked with."""
    return {f"{link.context.span_id:016x}" for link in span.links}
