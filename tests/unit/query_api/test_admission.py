"""Reads beyond the limit are refused, counted with their reason, and served again when there is room."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from query_api.errors import Overloaded
from query_api.http import problems
from query_api.http.admission import Admission
from shared.ops.http.request_layer import RequestLayer
from shared.ops.metrics.requests import TABLE_QUEUE, WAITING_READERS
from tests.counters import counted
from tests.unit.ops.http_wire import SampleApp


@pytest.mark.parametrize("limit", [TABLE_QUEUE, WAITING_READERS])
async def test_a_read_that_is_refused_behind_the_queue_counts_as_shed_by_its_reason(limit: str) -> None:
    app = FastAPI()
    problems.install(app)

    @app.get("/refused")
    async def refused() -> None:
        raise Overloaded(limit, "too many wait")

    before = counted("http_server_requests_shed_total", reason=limit)
    transport = httpx.ASGITransport(RequestLayer(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.get("/refused")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
        503,
        "overloaded",
        "1",
    )
    assert counted("http_server_requests_shed_total", reason=limit) == before + 1


async def test_a_read_beyond_the_limit_is_503_and_counted_once_and_the_others_are_answered() -> None:
    app = SampleApp()
    before = counted("http_server_requests_shed_total", reason="too-many-requests")
    layers = RequestLayer(Admission(app, in_progress_max=1))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(layers), base_url="http://x") as client:
        held = asyncio.create_task(client.get("/held"))
        await app.entered.wait()
        refused = await client.get("/another")
        app.release.set()
        assert (await held).status_code == 200
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["request_id"] == refused.headers["x-request-id"]
        assert (await client.get("/another")).status_code == 200
    assert app.executed == ["/held", "/another"]
    assert counted("http_server_requests_shed_total", reason="too-many-requests") == before + 1
