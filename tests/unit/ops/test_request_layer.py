"""What is around every request of both APIs: an id, a trace, a metric, a log line, an answer to every bug."""

import json
from collections.abc import MutableMapping
from typing import Any

import httpx
import pytest
import structlog
from structlog.testing import capture_logs

from shared.ops.http.asgi import ASGIApp, ClientLeft, Receive, Scope, Send, respond
from shared.ops.http.request_context import context_of, read_context, request_id_of
from shared.ops.http.request_layer import RequestLayer
from tests.counters import counted


async def _hello(scope: Scope, _: Receive, send: Send) -> None:
    scope["route"] = _Route
    await respond(scope, send, int(scope["query_string"] or 200), "text/plain", scope["path"].encode())


class _Route:
    path = "/things/{name}"


async def _broken(*_: Any) -> None:
    raise ZeroDivisionError


async def _broken_in_the_middle(scope: Scope, _: Receive, send: Send) -> None:
    await respond(scope, send, 202, "text/plain", b"")
    raise ZeroDivisionError


async def _left(*_: Any) -> None:
    raise ClientLeft


def _client(app: ASGIApp, **settings: float) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(RequestLayer(app, **settings)), base_url="http://x"
    )


@pytest.mark.parametrize("unusable", [None, b"", b"x" * 129, b"\xe4", b"a\tb", b"a b"])
def test_an_unusable_request_id_is_replaced_by_a_new_one_each_time(unusable: bytes | None) -> None:
    made = {request_id_of(unusable) for _ in range(3)}
    assert len(made) == 3
    assert unusable not in made


def test_the_callers_trace_is_kept_and_a_broken_one_replaced() -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    assert (
        read_context([(b"traceparent", f"00-{trace_id}-00f067aa0ba902b7-01".encode())]).trace.trace_id
        == trace_id
    )
    assert len(read_context([(b"traceparent", b"nonsense")]).trace.trace_id) == 32


async def test_the_path_stays_as_it_was_sent_and_the_answer_has_the_id() -> None:
    async with _client(_hello) as client:
        answer = await client.get("/things/a%2Fb", headers={"x-request-id": "mine"})
    assert (answer.text, answer.headers["x-request-id"]) == ("/things/a%2Fb", "mine")


@pytest.mark.parametrize(
    ("status", "level"), [(200, "info"), (404, "info"), (503, "warning"), (500, "error")]
)
async def test_a_request_is_one_line_of_log(status: int, level: str) -> None:
    with capture_logs() as lines:
        async with _client(_hello) as client:
            await client.get(f"/things/a?{status}")
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["log_level"], line["status"], line["route"]) == (level, status, "/things/{name}")
    assert (line["method"], line["path"]) == ("GET", "/things/a")


async def test_a_slow_request_is_a_warning() -> None:
    with capture_logs() as lines:
        async with _client(_hello, slow_seconds=0.0) as client:
            await client.get("/things/a")
    assert [line["log_level"] for line in lines if line["event"] == "request"] == ["warning"]


async def test_the_metric_has_the_route_and_only_methods_that_exist() -> None:
    name = "http_server_request_duration_seconds_count"
    labels = [{"method": method, "route": "/things/{name}", "status": "200"} for method in ("GET", "other")]
    before = [counted(name, **each) for each in labels]
    async with _client(_hello) as client:
        for method in ("GET", "BREW"):
            await client.request(method, "/things/a")
    assert [counted(name, **each) - old for each, old in zip(labels, before, strict=True)] == [1, 1]


async def test_a_bug_is_logged_once_and_answered_with_a_problem() -> None:
    with capture_logs() as lines:
        async with _client(_broken) as client:
            answer = await client.get("/things/a", headers={"x-request-id": "mine"})
    problem = json.loads(answer.text)
    assert (answer.status_code, problem["code"], problem["request_id"]) == (500, "internal-error", "mine")
    assert problem.keys() == {"type", "title", "status", "code", "instance", "trace_id", "request_id"}
    assert [line["event"] for line in lines if line.get("exc_info")] == ["request failed"]


async def test_an_answer_that_has_begun_is_left_as_it_is() -> None:
    async with _client(_broken_in_the_middle) as client:
        assert (await client.get("/things/a")).status_code == 202


async def test_nobody_answers_a_client_that_has_left() -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "path": "/", "raw_path": b"/", "headers": []}
    with pytest.raises(ClientLeft):
        await RequestLayer(_left)(scope, receive, send)
    assert sent == []
    assert len(context_of(scope).trace.trace_id) == 32


async def test_the_line_names_the_product_of_the_path_and_cuts_a_long_path() -> None:
    product_id = "01920000-0000-7000-8000-00000000000a"

    async def of_a_product(scope: Scope, _: Receive, send: Send) -> None:
        scope["path_params"] = {"product_id": scope["path"].rpartition("/")[2]}
        await respond(scope, send, 200, "text/plain", b"")

    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        async with _client(of_a_product) as client:
            for named in (product_id, "x" * 5000):
                await client.get(f"/things/{named}")
    named, unnamed = [line for line in lines if line["event"] == "request"]
    assert named["product_id"] == product_id
    assert "product_id" not in unnamed
    assert len(unnamed["path"]) == 512
