"""Sends spans to a receiver by OTLP over HTTP. Imported only when tracing is on.

A receiver that is slow or away must cost the process nothing: the queue is bounded, a thread sends, and what
finds no room is dropped and counted.
"""

import logging
import os
from collections.abc import Callable, Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from shared.telemetry.sdk import SdkTracer

Count = Callable[[str, int], None]
"""Gets what became of spans (`exported`, `failed`: the receiver did not take them, `dropped`: the queue was
full), and how many.
"""
QUEUED_SPANS_MAX_DEFAULT = 2_048
SENT_SPANS_MAX_DEFAULT = 512
"""In one request to the receiver."""
_log = logging.getLogger(__name__)


class BoundedExport(SpanProcessor):
    """The SDK's batches behind a count of the spans that wait: the SDK drops what is too much, but unseen."""

    def __init__(self, exporter: SpanExporter, queued_spans_max: int, count: Count) -> None:
        self._exporter = _Counted(exporter, count)
        self._count = count
        self._queued_spans_max = queued_spans_max
        self._ended = 0
        sent_spans_max = _spans_max("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", SENT_SPANS_MAX_DEFAULT)
        self._batches = BatchSpanProcessor(
            self._exporter,
            max_queue_size=queued_spans_max,
            # The SDK does not start with a queue that is smaller.
            max_export_batch_size=min(sent_spans_max, queued_spans_max),
        )

    def on_end(self, span: ReadableSpan) -> None:
        if self._ended - self._exporter.taken >= self._queued_spans_max:
            self._count("dropped", 1)
            return
        self._ended += 1
        self._batches.on_end(span)

    def shutdown(self) -> None:
        self._batches.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._batches.force_flush(timeout_millis)


class _Counted(SpanExporter):
    """Counts what is sent. `taken`: the spans that have left the queue."""

    def __init__(self, exporter: SpanExporter, count: Count) -> None:
        self._exporter = exporter
        self._count = count
        self.taken = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.taken += len(spans)
        result = self._exporter.export(spans)
        self._count("exported" if result is SpanExportResult.SUCCESS else "failed", len(spans))
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def sdk_tracer(process: str, version: str, count: Count) -> SdkTracer:
    """As the `OTEL_*` variables say, which name the receiver. The default service has the process's name."""
    named: dict[str, str | int] = {
        "service.namespace": "catalogue",
        "service.version": version,
        "process.pid": os.getpid(),
    }
    if "OTEL_SERVICE_NAME" not in os.environ and "service.name=" not in os.environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    ):
        named["service.name"] = process
    queued_spans_max = _spans_max("OTEL_BSP_MAX_QUEUE_SIZE", QUEUED_SPANS_MAX_DEFAULT)
    return SdkTracer(BoundedExport(OTLPSpanExporter(), queued_spans_max, count), Resource.create({**named}))


def _spans_max(variable: str, default: int) -> int:
    given = os.environ.get(variable, "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    if given:
        _log.warning("OpenTelemetry's setting %s is no number above 0; it is %d now", variable, default)
    return default
