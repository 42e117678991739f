"""Refused requests are counted and logged: with the reason, without the token, and not a line for each.

The lines of all others name their caller.
"""

import io
import json
from collections.abc import Iterator

import httpx
import pytest
import structlog

from shared.access.http.layer import AccessLayer, Row
from shared.access.scopes import Scope
from shared.ops.http.asgi import Receive, Send, respond
from shared.ops.http.asgi import Scope as AsgiScope
from shared.ops.http.request_layer import RequestLayer
from shared.ops.logs import configure_logs, get_logger
from shared.ops.metrics.access import ACCESS_REFUSALS
from shared.ops.settings import ProcessSettings
from tests.guards import bearer, guard
from tests.tokens import bad_tokens

ROW = Row("POST", "/projections/pause", Scope.OPS_WRITE)


async def _nothing(_: AsgiScope, __: Receive, ___: Send) -> None:
    raise AssertionError("a refused request must not arrive here")


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure_logs("projector", ProcessSettings(_env_file=None), stream)  # type: ignore[call-arg]
    yield stream
    structlog.reset_defaults()


async def _ask(headers: dict[str, str], times: int = 1) -> None:
    app = AccessLayer(_nothing, lambda _: ROW, guard())
    transport = httpx.ASGITransport(app=app, client=("192.0.2.7", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://ops") as client:
        for _ in range(times):
            await client.post(ROW.path, headers=headers)


def _lines(logged: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in logged.getvalue().splitlines()]


async def test_a_bad_token_is_logged_with_its_reason_and_never_itself(logged: io.StringIO) -> None:
    for bad in bad_tokens().values():
        await _ask({"authorization": f"Bearer {bad}"})
        assert bad not in logged.getvalue()
    line = _lines(logged)[0]
    wanted = {
        "event": "access refused",
        "level": "warning",
        "reason": "invalid-token",
        "detail": "the token has expired",
        "method": "POST",
        "route": "/projections/pause",
        "client_address": "192.0.2.7",
        "actor": None,
    }
    assert {name: line[name] for name in wanted} == wanted


async def test_a_caller_without_the_scope_is_named(logged: io.StringIO) -> None:
    await _ask(bearer(Scope.OPS_READ, sub="bob"))
    (line,) = _lines(logged)
    assert (line["reason"], line["actor"]) == ("insufficient-scope", "bob")


async def test_each_line_of_a_request_names_its_caller(logged: io.StringIO) -> None:
    async def application(scope: AsgiScope, _: Receive, send: Send) -> None:
        get_logger(__name__).info("at work")
        await respond(scope, send, 200, "application/json", b"{}")

    for guarded, actor in ((guard(), "bob"), (None, "anonymous")):
        inner = application if guarded is None else AccessLayer(application, lambda _: ROW, guarded)
        transport = httpx.ASGITransport(app=RequestLayer(inner))
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            assert (await client.get("/", headers=bearer(Scope.OPS_WRITE, sub="bob"))).status_code == 200
        lines = _lines(logged)[-2:]
        assert [(line["event"], line["actor"]) for line in lines] == [("at work", actor), ("request", actor)]


async def test_a_flood_is_counted_and_a_few_lines_long(logged: io.StringIO) -> None:
    before = ACCESS_REFUSALS.labels("token-required")._value.get()
    await _ask({}, times=200)
    assert ACCESS_REFUSALS.labels("token-required")._value.get() - before == 200
    assert len(_lines(logged)) == 5
