"""Log lines about requests are limited by second; what is left out is counted and told; errors pass."""

import httpx
import pytest
from structlog.testing import capture_logs

from shared.ops.http.access_lines import AccessLines
from shared.ops.http.asgi import Receive, Scope, Send, respond
from shared.ops.http.request_layer import RequestLayer
from tests.counters import counted

LEFT_OUT = "log_access_lines_left_out_total"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_first_of_each_second_pass_and_the_rest_is_counted() -> None:
    clock, before = Clock(), counted(LEFT_OUT)
    lines = AccessLines("info", 2, clock=clock)
    assert [lines.allow() for _ in range(4)] == [True, True, False, False]
    clock.now += 1
    assert lines.allow()
    assert counted(LEFT_OUT) - before == 2


def test_what_was_left_out_is_said_once_in_an_interval() -> None:
    clock = Clock()
    lines = AccessLines("info", 1, clock=clock)
    with capture_logs() as written:
        for _ in range(30):
            for _ in range(3):
                lines.allow()
            clock.now += 1
    assert [(line["event"], line["lines"], line["lines_level"]) for line in written] == [
        ("request lines left out", 20, "info"),
        ("request lines left out", 20, "info"),
    ]


async def _status(scope: Scope, _: Receive, send: Send) -> None:
    await respond(scope, send, int(scope["query_string"]), "text/plain", b"")


@pytest.mark.parametrize(("status", "written"), [(200, 1), (404, 1), (503, 1), (500, 20)])
async def test_a_flood_of_answers_has_few_lines_but_every_error_has_one(status: int, written: int) -> None:
    """A second boundary may fall between the requests, which allows one line more."""
    app = RequestLayer(_status, lines_per_second_max=1)
    with capture_logs() as lines:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            for _ in range(20):
                await client.get(f"/?{status}")
    found = len([line for line in lines if line["event"] == "request"])
    assert found >= written
    assert found == 20 if status == 500 else found < 20


async def test_usual_requests_do_not_crowd_warnings_out() -> None:
    app = RequestLayer(_status, lines_per_second_max=1)
    with capture_logs() as lines:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            for status in (200, 200, 200, 503):
                await client.get(f"/?{status}")
    assert [line["status"] for line in lines if line.get("log_level") == "warning"] == [503]
