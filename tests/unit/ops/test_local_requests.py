"""A port without access control serves programs of this machine, and no page that its browser shows."""

import json

import pytest

from command_api.relay.settings import RelaySettings
from command_api.settings import CommandSettings
from projector.settings import ProjectorSettings
from query_api.settings import QuerySettings
from shared.access.settings import AccessSettings
from shared.ops.http.answer_headers import AnswerHeaders
from shared.ops.http.cross_origin import AllowedOrigins
from shared.ops.http.limits import ConnectionLimits
from shared.ops.http.local_requests import LocalRequests
from tests.unit.ops.http_wire import SampleApp, answers, serving

SHOP = "https://shop.example.com"
LOCAL = ConnectionLimits(local=LocalRequests("ip6-loopback"))
HERE = ["localhost", "LocalHost:8000", "127.0.0.1:8000", "127.8.8.8", "[::1]:8000", "[::ffff:127.0.0.1]",
        "shop.localhost:8000", "IP6-loopback:9100"]  # fmt: skip
ELSEWHERE = ["evil.example", "evil.example:8000", "localhost.evil.example", "evillocalhost", "127.0.0.1.evil",
             "0.0.0.0:8000", "10.0.0.7", "[::]:8000", "[2001:db8::1]", ":8000", "2130706433"]  # fmt: skip


async def _answered(
    host: str, origin: str | None = None, limits: ConnectionLimits = LOCAL, listed: tuple[str, ...] = ()
) -> tuple[int, str]:
    """The status, and the code of the problem; that nothing was executed if there is one."""
    app = SampleApp()
    more = "" if origin is None else f"origin: {origin}\r\n"
    headers = AnswerHeaders(origins=AllowedOrigins(listed, ["POST"]))
    request = f"POST /pause HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{more}\r\n".encode()
    async with serving(app, limits, headers=headers) as server:
        ((status, body),) = await answers(server, request)
    if status == 200:
        return 200, ""
    assert app.executed == []
    return status, json.loads(body)["code"]


@pytest.mark.parametrize("host", HERE)
async def test_every_name_of_this_machine_is_served(host: str) -> None:
    assert await _answered(host) == (200, "")


@pytest.mark.parametrize("host", ELSEWHERE)
async def test_a_name_that_only_leads_here_is_refused_before_anything_is_done(host: str) -> None:
    assert await _answered(host) == (421, "host-not-served")


@pytest.mark.parametrize("host", HERE)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_page_of_this_machine_may_send_requests(scheme: str, host: str) -> None:
    assert await _answered("localhost", f"{scheme}://{host}") == (200, "")


@pytest.mark.parametrize(
    "origin",
    [*(f"http://{host}" for host in ELSEWHERE), SHOP, "null", "", "file://localhost", "localhost:8000",
     "http://evil.example http://localhost", "chrome-extension://localhost"],
)  # fmt: skip
async def test_a_page_of_another_site_cannot_do_anything_here(origin: str) -> None:
    assert await _answered("localhost:8000", origin) == (403, "origin-not-allowed")


async def test_a_program_that_names_no_host_is_served() -> None:
    assert await _answered("") == (200, "")  # a browser always names one


async def test_a_page_of_a_listed_origin_may() -> None:
    assert await _answered("localhost", SHOP, listed=(SHOP,)) == (200, "")
    assert await _answered("localhost", f"{SHOP}.evil.example", listed=(SHOP,)) == (403, "origin-not-allowed")


async def test_of_two_origins_each_is_checked() -> None:
    two = "http://localhost\r\norigin: http://evil.example"
    assert await _answered("localhost", two) == (403, "origin-not-allowed")


async def test_with_access_control_a_token_decides_and_no_name() -> None:
    assert await _answered("catalogue.example.com", SHOP, ConnectionLimits()) == (200, "")


@pytest.mark.parametrize(
    "cls", [AccessSettings, CommandSettings, RelaySettings, ProjectorSettings, QuerySettings]
)
def test_every_process_has_this_while_access_control_is_off_and_not_longer(
    cls: type[AccessSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LISTEN_HOST", "localhost")
    for name in ("EVENT_STORE_DSN", "EVENT_STORE_READ_DSN", "READ_MODEL_DSN"):
        monkeypatch.setenv(name, "postgresql://nobody@127.0.0.1:1/none")
    assert cls(_env_file=None).connection_limits.local == LocalRequests("localhost")  # type: ignore[call-arg]
    monkeypatch.setenv("AUTH_ISSUER", "https://issuer.test")
    assert cls(_env_file=None).connection_limits.local is None  # type: ignore[call-arg]
