"""The receiver of traces for one machine: takes what OpenTelemetry's exporter sends, and keeps the newest."""

import argparse
import gzip
import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from deploy.local.errors import LocalStackError
from deploy.local.traces.command import add_arguments, run_traces
from deploy.local.traces.receiver import BODY_BYTES_MAX, TraceReceiver
from deploy.local.traces.spans import StoredSpan
from deploy.local.traces.store import TraceStore
from deploy.local.traces.waits import without_overlap
from deploy.local.traces.waterfall import table, waterfall
from shared.telemetry.sdk import SdkTracer
from shared.telemetry.spans import SpanKind
from shared.telemetry.tracing import span, trace, use_tracer
from tests.end_to_end.traced import receiving
from tests.recorded_spans import SAMPLED

ANSWER_SECONDS_MAX = 60.0


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[TraceReceiver]:
    with receiving(tmp_path) as one:
        yield one


def _post(receiver: TraceReceiver, body: bytes, path: str = "/v1/traces", **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = httpx.post(receiver.endpoint + path, content=body, headers=named, timeout=ANSWER_SECONDS_MAX)
    return answer.status_code


def test_what_opentelemetrys_exporter_sends_is_stored_whole(receiver: TraceReceiver) -> None:
    exporter = OTLPSpanExporter(f"{receiver.endpoint}/v1/traces")
    tracer = SdkTracer(SimpleSpanProcessor(exporter), Resource({"service.name": "test"}))
    use_tracer(tracer)
    with trace("request", SpanKind.SERVER, SAMPLED) as own:
        own.event("conflict", {"version": 3})
        own.link(SAMPLED)
        with span("part", attributes={"a": 1, "b": ["x", "y"]}) as part:
            part.fail(ZeroDivisionError())
    use_tracer(None)
    assert tracer.stop(30)
    request, stored = receiver.store.trace(SAMPLED.trace_id)
    assert (request.name, request.kind, request.service) == ("request", "server", "test")
    assert (request.parent_id, request.failure) == (SAMPLED.span_id, None)
    assert request.events[0]["name"] == "conflict"
    assert request.events[0]["attributes"] == {"version": 3}
    assert request.links == [{"trace_id": SAMPLED.trace_id, "span_id": SAMPLED.span_id}]
    assert (stored.parent_id, stored.failure) == (request.span_id, "ZeroDivisionError: ")
    assert stored.attributes == {"a": 1, "b": ["x", "y"], "error.type": "ZeroDivisionError"}
    assert request.began_ns <= stored.began_ns <= stored.ended_ns <= request.ended_ns


def test_json_is_taken_too(receiver: TraceReceiver) -> None:
    ids = {"traceId": SAMPLED.trace_id, "spanId": SAMPLED.span_id}
    one = {"name": "request", "startTimeUnixNano": "1", "endTimeUnixNano": "2", "kind": 2, **ids}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}
    packed = gzip.compress(json.dumps(body).encode())
    assert _post(receiver, packed, content_type="application/json", content_encoding="gzip") == 200
    (stored,) = receiver.store.trace(SAMPLED.trace_id)
    assert (stored.name, stored.span_id, stored.kind) == ("request", SAMPLED.span_id, "server")


@pytest.mark.parametrize(
    ("body", "path", "headers", "status"),
    [
        (b"\xff", "/v1/traces", {}, 400),
        (b"{", "/v1/traces", {"content_type": "application/json"}, 400),
        (b"no gzip", "/v1/traces", {"content_encoding": "gzip"}, 400),
        (b"", "/v1/metrics", {}, 404),
    ],
)
def test_what_is_wrong_is_refused(
    receiver: TraceReceiver, body: bytes, path: str, headers: dict[str, str], status: int
) -> None:
    assert _post(receiver, body, path, **headers) == status


def test_a_body_that_is_too_large_is_refused_before_it_is_read(receiver: TraceReceiver) -> None:
    with closing(http.client.HTTPConnection(*receiver.server_address)) as connection:
        connection.putrequest("POST", "/v1/traces")
        connection.putheader("content-length", str(BODY_BYTES_MAX + 1))
        connection.endheaders()
        assert connection.getresponse().status == 413


def _span(trace_id: str, span_id: str, **more: object) -> StoredSpan:
    given = {
        "parent_id": None,
        "service": "s",
        "name": "request",
        "kind": "server",
        "began_ns": 1,
        "ended_ns": 2,
    }
    return StoredSpan(trace_id, span_id, **{**given, **more})  # type: ignore[arg-type]


def test_the_newest_spans_are_kept(tmp_path: Path) -> None:
    store = TraceStore(tmp_path / "traces.db", spans_kept_max=100)
    for number in range(250):
        store.add([_span(f"{number:032x}", "a", began_ns=number, ended_ns=number)])
    kept = [int(one.trace_id, 16) for one in store.newest(1_000)]
    assert len(kept) <= 100
    assert kept == list(range(249, 249 - len(kept), -1))
    assert len(kept) >= 89


def test_a_span_that_comes_twice_is_kept_once(tmp_path: Path) -> None:
    store = TraceStore(tmp_path / "traces.db")
    for _ in range(2):
        store.add([_span("1", "a")])
    assert len(store.trace("1")) == 1


TRACES = [
    _span("aa01", "1", began_ns=0, ended_ns=9_000_000, attributes={"http.response.status_code": 201}),
    _span("aa01", "2", parent_id="1", name="append", began_ns=1_000_000, ended_ns=8_000_000, failure="away",
          attributes={"catalogue.log_position": 7}, links=[{"trace_id": "bb", "span_id": "3"}]),
    _span("aa01", "3", parent_id="2", name="deep", began_ns=2_000_000, ended_ns=50_000_000),
    _span("ab02", "1", name="GET", parent_id="of the caller", began_ns=5, ended_ns=100_000_000),
]  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "traces.db"
    TraceStore(path).add(TRACES)
    return path


def test_traces_are_listed_by_their_first_span(file: Path) -> None:
    store = TraceStore(file)
    assert [one.trace_id for one in store.slowest(5)] == ["ab02", "aa01"]
    first = store.slowest(5)[1]
    assert (first.name, first.took_ns, first.whole_ns) == ("request", 9_000_000, 50_000_000)
    assert (first.spans, first.failures) == (3, 1)
    assert "request (s), 1 failed" in table([first])


def test_a_waterfall_has_each_span_under_its_parent() -> None:
    head, _, *lines = waterfall(TRACES[:3]).partition("\nmost of the time")[0].splitlines()
    assert head.startswith("trace aa01, began 00:00:00.000 UTC, 50.00 ms, 3 spans in s")
    assert [line.split("  s")[0].split("#")[-1].strip() for line in lines] == ["request", "append", "deep"]
    assert "FAILED: away, position 7, linked with trace bb" in lines[1]
    assert lines[1].index("append") - lines[0].index("request") == 2


def test_a_waterfall_ends_with_what_took_the_time() -> None:
    spans = [
        _span("aa", "1", name="request", ended_ns=100_000_000),
        _span("aa", "2", parent_id="1", name="decide", began_ns=1, ended_ns=5_000_000),
        _span("aa", "3", parent_id="1", name="append", began_ns=9_000_000, ended_ns=80_000_000,
              attributes={"catalogue.waited_for": "Lock transactionid"}),
        _span("aa", "4", parent_id="1", name="beside", began_ns=9_000_000, ended_ns=12_000_000),
        _span("aa", "5", parent_id="3", name="goes on", began_ns=70_000_000, ended_ns=150_000_000),
    ]  # fmt: skip
    assert waterfall(spans).splitlines()[-4:] == [
        "most of the time (without the spans below):",
        "    80.00 ms  goes on (s)",
        "    61.00 ms  append (s), waited for Lock transactionid",
        "    24.00 ms  request (s)",
    ]


def test_a_wait_of_an_event_begins_when_the_span_before_it_has_ended() -> None:
    def beside(name: str, began_ms: int, ended_ms: int) -> StoredSpan:
        times = {"began_ns": began_ms * 1_000_000, "ended_ns": ended_ms * 1_000_000}
        return _span("aa", name, parent_id="1", name=name, **times)

    spans = [
        beside("append", 0, 300),
        beside("wait for relay", 10, 900),
        beside("publish", 900, 910),
        beside("wait for product_view", 10, 940),
        beside("wait for analytics", 10, 905),
        beside("wait for inventory", 10, 2_000),
        beside("wait for product", 0, 60),
    ]
    assert [(one.name, one.began_ns // 1_000_000) for one in without_overlap(spans)] == [
        ("append", 0),
        ("wait for relay", 300),
        ("publish", 900),
        ("wait for inventory", 910),
        ("wait for product", 0),
    ]


def test_the_traces_of_batches_are_listed_if_they_failed_or_are_wanted(tmp_path: Path) -> None:
    store = TraceStore(tmp_path / "traces.db")
    store.add([_span("aa", "1", kind="consumer"), _span("bb", "1", kind="consumer", failure="away")])
    assert [one.trace_id for one in store.newest(5)] == ["bb"]
    assert {one.trace_id for one in store.slowest(5, with_batches=True)} == {"aa", "bb"}


def _shown(file: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    code = run_traces(file, parser.parse_args(arguments))
    return code, capsys.readouterr().out


def test_the_command_shows_what_is_asked(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _shown(file, capsys, "aa")[1].startswith("trace aa01")
    assert _shown(file, capsys, "--position", "7")[1].startswith("trace aa01")
    assert _shown(file, capsys, "--slowest", "1")[1].count("\n") == 2
    assert _shown(file, capsys)[1].count("\n") == 3
    assert _shown(file, capsys, "cc") == (1, "no trace of cc is kept\n")


def test_an_ambiguous_trace_and_a_missing_file_are_named(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(LocalStackError, match="give more digits"):
        _shown(file, capsys, "a")
    with pytest.raises(LocalStackError, match="--observe"):
        _shown(file.with_name("nothing"), capsys)
