"""Reads beyond the limit are refused, counted with their reason, and served again when there is room."""

import asyncio

import httpx

from query_api.http.admission import Admission
from shared.ops.http.request_layer import RequestLayer
from tests.counters import counted
from tests.unit.ops.http_wire import SampleApp


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
