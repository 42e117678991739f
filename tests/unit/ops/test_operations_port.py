"""The operations port answers Kubernetes, Prometheus and operators; the rest gets problem documents."""

from uuid import UUID

import httpx
import pytest

import shared.ops.metrics.process  # noqa: F401  # registers what /metrics must show
from shared.ops.health import Health
from shared.ops.http.asgi import Receive, Scope, Send, respond
from shared.ops.http.operations import operations_app


@pytest.fixture
def health() -> Health:
    return Health("relay")


def client(health: Health, **extra: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=operations_app(health, **extra))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://ops")


async def test_readyz_turns_from_200_to_503_when_draining(health: Health) -> None:
    async with client(health) as ops:
        ready = await ops.get("/readyz")
        health.drain()
        draining = await ops.get("/readyz")
    answered = {"process": "relay", "status": "ready", "checks": {}, "degraded": []}
    assert (ready.status_code, ready.json()) == (200, answered)
    assert (draining.status_code, draining.json()["checks"]) == (503, {"draining": "shutting down"})


async def test_livez_names_the_loop_that_is_stuck(health: Health) -> None:
    health.expect_progress("tail", seconds_max=-1)
    async with client(health) as ops:
        answer = await ops.get("/livez")
    assert answer.status_code == 503
    assert answer.json()["status"] == "stuck"
    assert "no progress" in answer.json()["checks"]["tail"]


async def test_metrics_are_prometheus_text(health: Health) -> None:
    async with client(health) as ops:
        answer = await ops.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE event_loop_lag_seconds gauge" in answer.text


async def test_version_says_what_runs(health: Health) -> None:
    async with client(health) as ops:
        answer = (await ops.get("/version")).json()
    assert answer.keys() == {"process", "version", "revision"}


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/version"])
async def test_head_has_the_headers_of_get_and_no_body(health: Health, path: str) -> None:
    async with client(health) as ops:
        answer = await ops.head(path)
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) > 0
    assert answer.content == b""


async def test_another_method_is_405_and_names_the_allowed_ones(health: Health) -> None:
    async with client(health) as ops:
        answer = await ops.post("/readyz")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "method-not-allowed"


async def test_another_path_is_a_404_problem_with_the_callers_ids(health: Health) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01", "x-request-id": "r-1"}
    async with client(health) as ops:
        answer = await ops.get("/v1/products", headers=headers)
    assert answer.status_code == 404
    problem = answer.json()
    assert (problem["instance"], problem["trace_id"], problem["request_id"]) == (
        "/v1/products",
        trace_id,
        "r-1",
    )


@pytest.mark.parametrize("made_up", ["two words", "a" * 129, "tab\tbed", ""])
async def test_an_id_that_no_caller_should_send_is_not_given_back(health: Health, made_up: str) -> None:
    async with client(health) as ops:
        problem = (await ops.get("/v1/products", headers={"x-request-id": made_up})).json()
    assert made_up != problem["request_id"]
    assert UUID(problem["request_id"]).version == 7


async def _paused(scope: Scope, _: Receive, send: Send) -> None:
    await respond(scope, send, 202, "application/json", b"{}")


async def test_a_process_can_add_an_operator_endpoint(health: Health) -> None:
    async with client(health, extra={("POST", "/projections/pause"): _paused}) as ops:
        assert (await ops.post("/projections/pause")).status_code == 202
        refused = await ops.get("/projections/pause")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


def test_an_endpoint_cannot_replace_a_built_in_one(health: Health) -> None:
    with pytest.raises(ValueError, match="GET /livez is routed twice"):
        operations_app(health, {("GET", "/livez"): _paused})
