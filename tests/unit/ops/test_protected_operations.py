"""Every answer of an operations port has the headers for browsers, too."""

import httpx
import pytest

from shared.ops.health import Health
from shared.ops.http.asgi import Receive, Scope, Send, respond
from shared.ops.http.operations import operations_app
from shared.ops.http.server import HttpServer
from tests.answer_headers import must_be_protected
from tests.unit.ops.http_wire import wire_to

PATHS = ("/livez", "/readyz", "/metrics", "/version", "/act", "/nothing")


async def _act(scope: Scope, _: Receive, send: Send) -> None:
    await respond(scope, send, 200, "application/json", b"{}")


@pytest.mark.parametrize("is_draining", [False, True])
async def test_every_answer_of_an_operations_port_is_protected(is_draining: bool) -> None:
    health = Health("relay")
    if is_draining:
        health.drain()
    app = operations_app(health, {("POST", "/act"): _act})
    server = HttpServer(app, host="127.0.0.1", port=0, port_setting="P")
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as ops:
            for path in PATHS:
                for method in ("GET", "HEAD", "POST", "OPTIONS"):
                    answer = await ops.request(method, path)
                    # The state of a process that is not ready is no problem document.
                    status = 200 if path == "/readyz" and answer.status_code == 503 else answer.status_code
                    must_be_protected(status, answer.headers)
                    assert answer.headers["cache-control"] == "no-store"
        async with wire_to(server) as wire:
            await wire.send(b"junk\r\n\r\n")
            status, headers, _ = await wire.answer()
            must_be_protected(status, headers)
    finally:
        await server.stop(5)
