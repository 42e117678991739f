"""The span of a request: its name, its attributes, and what counts as a failure of ours."""

import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import structlog
from opentelemetry.trace import SpanKind, StatusCode

from shared.ops.http.asgi import ASGIApp, ClientLeft, Receive, Scope, Send, respond
from shared.ops.http.request_context import context_of
from shared.ops.http.request_layer import RequestLayer
from shared.ops.logs import configure_logs, get_logger
from shared.ops.settings import ProcessSettings
from shared.telemetry.tracing import span
from tests.recorded_spans import SAMPLED, UNSAMPLED, parent_id_of, recorded_spans, span_id_of, trace_id_of

_log = get_logger(__name__)


class _Route:
    path = "/things/{name}"


async def _answer(scope: Scope, _: Receive, send: Send) -> None:
    scope["route"] = _Route
    scope["seen"] = context_of(scope).trace.header
    with span("part"):
        _log.info("working")
    await respond(scope, send, int(scope["query_string"] or 200), "text/plain", scope["seen"].encode())


async def _broken(*_: Any) -> None:
    raise ZeroDivisionError("by zero")


async def _left(*_: Any) -> None:
    raise ClientLeft


async def _get(app: ASGIApp, path: str, **headers: str) -> str:
    transport = httpx.ASGITransport(RequestLayer(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        return (await client.get(path, headers=headers)).text


async def test_a_request_is_a_span_in_the_callers_trace_named_after_its_route() -> None:
    with recorded_spans() as spans:
        header = await _get(_answer, "/things/a%2Fb?404", traceparent=SAMPLED.header)
    request = spans.one("GET /things/{name}")
    assert (request.kind, trace_id_of(request)) == (SpanKind.SERVER, SAMPLED.trace_id)
    assert parent_id_of(request) == SAMPLED.span_id
    assert parent_id_of(spans.one("part")) == span_id_of(request)
    assert header == f"00-{SAMPLED.trace_id}-{span_id_of(request)}-01", "what the events continue"
    assert request.status.status_code is StatusCode.UNSET
    assert dict(request.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/things/{name}",
        "url.path": "/things/a%2Fb",
        "http.response.status_code": 404,
    }


async def test_a_caller_that_is_not_sampled_passes_on_its_decision() -> None:
    with recorded_spans() as spans:
        header = await _get(_answer, "/things/a", traceparent=UNSAMPLED.header)
    assert spans.all == []
    assert header.startswith(f"00-{UNSAMPLED.trace_id}-")
    assert header.endswith("-00")


async def test_an_outage_is_recorded_though_nothing_is_sampled() -> None:
    with recorded_spans(ratio=0) as spans:
        await _get(_answer, "/things/a?503")
        await _get(_answer, "/things/a?409")
    assert [one.name for one in spans.all] == ["GET /things/{name}"]
    assert spans.all[0].status.description == "answered with 503"


async def test_a_bug_is_recorded_with_its_cause() -> None:
    with recorded_spans(ratio=0) as spans:
        await _get(_broken, "/things/a")
    (request,) = spans.all
    assert request.name == "GET unmatched"
    assert request.status.description == "ZeroDivisionError: by zero"
    assert (request.attributes or {})["http.response.status_code"] == 500


async def test_a_client_that_leaves_is_no_failure() -> None:
    with recorded_spans(ratio=0) as spans, pytest.raises(ClientLeft):
        await _get(_left, "/things/a")
    assert spans.all == []


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure_logs("test", ProcessSettings(_env_file=None), stream)
    yield stream
    structlog.reset_defaults()


@pytest.mark.parametrize("ratio", [0.0, 1.0])
async def test_a_log_line_names_the_innermost_span(log: io.StringIO, ratio: float) -> None:
    with recorded_spans(ratio) as spans:
        header = await _get(_answer, "/things/a")
    inner, outer = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (inner["event"], outer["event"]) == ("working", "request")
    _, trace_id, span_id, _ = header.split("-")
    assert (outer["trace_id"], outer["span_id"]) == (trace_id, span_id)
    assert inner["trace_id"] == trace_id
    assert inner["span_id"] != span_id
    if ratio:
        assert inner["span_id"] == span_id_of(spans.one("part"))


async def test_without_tracing_a_log_line_names_the_place_that_events_continue(
    log: io.StringIO,
) -> None:
    header = await _get(_answer, "/things/a")
    for line in map(json.loads, log.getvalue().splitlines()):
        assert header == f"00-{line['trace_id']}-{line['span_id']}-00"
