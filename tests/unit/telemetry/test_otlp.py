"""A receiver that is slow, away or refuses costs the process nothing but the spans, which are counted."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from deploy.local.ports import free_port
from shared.ops.metrics.process import count_spans
from shared.telemetry.otlp import BoundedExport
from shared.telemetry.process import is_wanted, traced_process
from shared.telemetry.sdk import SdkTracer
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import is_tracing, trace, use_tracer
from tests.counters import counted


class _Receiver(SpanExporter):
    """Answers when it is let go."""

    def __init__(self, answer: SpanExportResult = SpanExportResult.SUCCESS) -> None:
        self.answer = answer
        self.let_go = threading.Event()
        self.spans = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.let_go.wait()
        self.spans += len(spans)
        return self.answer

    def shutdown(self) -> None:
        self.let_go.set()


def _traces(count: int) -> None:
    for _ in range(count):
        with trace("request", SpanKind.SERVER, is_sampled=True):
            pass


def _spans(result: str) -> float:
    return counted("trace_spans_total", result=result)


def test_what_the_queue_cannot_take_is_dropped_and_counted() -> None:
    receiver = _Receiver()
    tracer = SdkTracer(BoundedExport(receiver, 1_000, count_spans), Resource.get_empty())
    before = _spans("dropped"), _spans("exported")
    use_tracer(tracer)
    _traces(5_000)
    use_tracer(None)
    receiver.let_go.set()
    assert tracer.stop(30)
    dropped, exported = (
        _spans("dropped") - before[0],
        _spans("exported") - before[1],
    )
    assert receiver.spans == exported
    assert dropped + exported == 5_000
    assert dropped >= 5_000 - 2 * 1_000


@pytest.mark.parametrize("settings", [{}, {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "200"}])
def test_a_small_queue_is_sent_in_smaller_batches(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    receiver = _Receiver()
    receiver.let_go.set()
    tracer = SdkTracer(BoundedExport(receiver, 100, count_spans), Resource.get_empty())
    use_tracer(tracer)
    _traces(3)
    use_tracer(None)
    assert tracer.stop(30)
    assert receiver.spans == 3


def test_spans_that_the_receiver_refuses_are_counted() -> None:
    receiver = _Receiver(SpanExportResult.FAILURE)
    receiver.let_go.set()
    tracer = SdkTracer(BoundedExport(receiver, 1_000, count_spans), Resource.get_empty())
    before = _spans("failed")
    use_tracer(tracer)
    _traces(3)
    use_tracer(None)
    assert tracer.stop(30)
    assert _spans("failed") - before == 3


def test_a_process_does_not_wait_for_a_receiver_that_hangs() -> None:
    receiver = _Receiver()
    tracer = SdkTracer(BoundedExport(receiver, 1_000, count_spans), Resource.get_empty())
    use_tracer(tracer)
    _traces(1)
    use_tracer(None)
    assert not tracer.stop(0.01)
    receiver.let_go.set()


def test_a_process_ends_in_order_while_its_receiver_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    with traced_process("test", "1"):
        assert is_tracing()
        _traces(3)
    assert not is_tracing()


RECEIVER = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        (RECEIVER, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({**RECEIVER, "OTEL_SDK_DISABLED": "true"}, False),
        ({**RECEIVER, "OTEL_SDK_DISABLED": "false"}, True),
        ({**RECEIVER, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**RECEIVER, "OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
    ],
)
def test_tracing_is_on_if_there_is_a_receiver_and_nothing_speaks_against_it(
    environment: dict[str, str], wanted: bool
) -> None:
    assert is_wanted(environment) == wanted


def test_the_file_of_settings_switches_tracing_on_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SDK_DISABLED"):
        monkeypatch.setenv(name, "")  # so that what the file sets is taken back at the end
        monkeypatch.delenv(name)
    file = tmp_path / ".env"
    file.write_text(f"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:{free_port()}\nOTEL_SDK_DISABLED=false\n")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    with traced_process("test", "1", env_file=file):
        assert not is_tracing(), "the environment wins"
    monkeypatch.delenv("OTEL_SDK_DISABLED")
    with traced_process("test", "1", env_file=file):
        assert is_tracing()
