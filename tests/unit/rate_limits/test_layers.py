"""The layers around an application, spoken to over a socket: who is refused, and what the answer says."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from shared.access.caller import Caller, keep_caller
from shared.access.http.layer import AccessLayer, Row
from shared.access.scopes import Scope as Right
from shared.ops.http.asgi import ASGIApp, Receive, Scope, Send
from shared.ops.http.problem import Problem
from shared.ops.http.problem_answer import send_problem
from shared.ops.http.request_layer import RequestLayer
from shared.ops.http.server import HttpServer
from shared.rate_limits.api_limits import ApiLimits
from shared.rate_limits.budget import Budget
from shared.rate_limits.client_address import ClientAddresses, networks_of
from shared.rate_limits.limits import KindOfRequests
from tests.counters import counted
from tests.eventually import eventually
from tests.guards import bearer, guard
from tests.unit.ops.http_wire import SampleApp, Wire, wire_to

# One request in a minute comes back: none within a test.
READS = Budget("reads", 1 / 60, 3)
PER_ADDRESS = Budget("reads-per-address", 0.01, 4)
IMPORTS = Budget("imports", 0.1, 1)
PROXIED = ClientAddresses(networks_of("127.0.0.0/8"))


class TrustingAccess:
    """Stands in for access control: the header `caller` names the caller, and `bad` is refused."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = dict(scope["headers"]).get(b"caller", b"").decode()
        self.asked += 1
        if name == "bad":
            await send_problem(scope, send, Problem(401, "invalid-token", "The token is not accepted"))
            return
        if name:
            keep_caller(scope, Caller(name, frozenset(), None, 0.0))
        await self._app(scope, receive, send)


def is_known(scope: Scope) -> bool:
    return (b"caller", b"known") in scope["headers"]


class World:
    """A served application behind limits."""

    def __init__(self, app: SampleApp, access: TrustingAccess, server: HttpServer) -> None:
        self.app, self.access, self.server = app, access, server

    async def get(
        self, caller: str = "", path: str = "/", address: str = "", method: str = "GET"
    ) -> tuple[int, dict[str, str], bytes]:
        async with wire_to(self.server) as wire:
            await wire.send(request(caller, path, address, method))
            return await wire.answer()

    async def statuses(self, number: int, caller: str = "", address: str = "") -> list[int]:
        return [(await self.get(caller, address=address))[0] for _ in range(number)]


def request(
    caller: str = "", path: str = "/", address: str = "", method: str = "GET", more: str = ""
) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nhost: x\r\n{more}"
    head += f"caller: {caller}\r\n" if caller else ""
    head += f"x-forwarded-for: {address}\r\n" if address else ""
    return f"{head}\r\n".encode()


@asynccontextmanager
async def limited(limits: ApiLimits, http_limit: int | None = None) -> AsyncIterator[World]:
    app = SampleApp()
    access = TrustingAccess(limits.inside(app))
    layers = RequestLayer(limits.outside(access, is_known))
    server = HttpServer(layers, host="127.0.0.1", port=0, port_setting="P", http_limit=http_limit)
    await server.start()
    try:
        yield World(app, access, server)
    finally:
        app.release.set()
        await server.stop(5)


async def test_a_caller_that_is_too_fast_is_told_when_to_come_back() -> None:
    before = counted("rate_limit_decisions_total", budget="reads", result="refused")
    async with limited(ApiLimits(usual=KindOfRequests(READS, None))) as world:
        answers = [await world.get("anna") for _ in range(4)]
        other = await world.get("otto")
    assert [status for status, _, _ in answers] == [200, 200, 200, 429]
    assert {headers["ratelimit-policy"] for _, headers, _ in answers} == {'"reads";q=3;w=180'}
    assert answers[0][1]["ratelimit"] == '"reads";r=2;t=60'
    _, headers, body = answers[3]
    assert headers["ratelimit"] == f'"reads";r=0;t={headers["retry-after"]}'
    assert 1 <= int(headers["retry-after"]) <= 60
    assert headers["cache-control"] == "no-store"
    assert b'"code":"rate-limited"' in body
    assert (other[0], other[1]["ratelimit"]) == (200, '"reads";r=2;t=60')
    assert counted("rate_limit_decisions_total", budget="reads", result="refused") == before + 1


async def test_a_refused_request_does_not_reach_the_application() -> None:
    async with limited(ApiLimits(usual=KindOfRequests(READS, None))) as world:
        await world.statuses(5, "anna")
        assert len(world.app.executed) == 3


async def test_a_refused_request_with_a_body_costs_its_caller_no_connection() -> None:
    async with limited(ApiLimits(usual=KindOfRequests(READS, None))) as world, wire_to(world.server) as wire:
        for status in (200, 200, 200, 429, 429):
            await wire.send(request("anna", "/echo", method="POST", more="content-length: 5\r\n"), b"hello")
            answered, headers, _ = await wire.answer()
            assert (answered, "connection" in headers) == (status, False)


@pytest.mark.parametrize("address", ["203.0.113.1", "10.0.0.1, 203.0.113.1", "junk"])
async def test_an_address_that_a_client_makes_up_gives_it_no_other_budget(address: str) -> None:
    async with limited(ApiLimits(usual=KindOfRequests(READS, None))) as world:
        assert await world.statuses(3) == [200, 200, 200]
        assert await world.statuses(1, address=address) == [429]


async def test_an_anonymous_caller_is_its_address() -> None:
    async with limited(ApiLimits(usual=KindOfRequests(READS, None), addresses=PROXIED)) as world:
        assert await world.statuses(4, address="203.0.113.1") == [200, 200, 200, 429]
        assert await world.statuses(1, address="203.0.113.2") == [200]
        # A caller cannot be confused with an address by its name.
        assert await world.statuses(1, "203.0.113.1", address="203.0.113.1") == [200]


async def test_all_callers_of_an_address_share_its_budget() -> None:
    limits = ApiLimits(usual=KindOfRequests(READS, PER_ADDRESS), addresses=PROXIED)
    async with limited(limits) as world:
        callers = ["anna", "otto", "anna", "otto", "eve"]
        answers = [await world.get(caller, address="203.0.113.1") for caller in callers]
        elsewhere = await world.get("eve", address="203.0.113.2")
    assert [status for status, _, _ in answers] == [200, 200, 200, 200, 429]
    _, headers, _ = answers[4]
    assert headers["ratelimit-policy"] == '"reads";q=3;w=180, "reads-per-address";q=4;w=400'
    assert re.fullmatch(r'"reads";r=2;t=\d+, "reads-per-address";r=0;t=\d+', headers["ratelimit"])
    assert headers["ratelimit"].endswith(f"t={headers['retry-after']}")
    assert elsewhere[0] == 200


async def test_each_kind_of_requests_has_its_own_budget() -> None:
    limits = ApiLimits(usual=KindOfRequests(READS, None), by_path={"/import": KindOfRequests(IMPORTS, None)})
    async with limited(limits) as world:
        imports = [await world.get("anna", "/import") for _ in range(2)]
        usual = await world.get("anna")
    assert [status for status, _, _ in imports] == [200, 429]
    assert imports[0][1]["ratelimit-policy"] == '"imports";q=1;w=10'
    assert usual[0] == 200


async def test_without_limits_nothing_is_counted_and_no_header_is_sent() -> None:
    app = SampleApp()
    assert ApiLimits().outside(app, is_known) is app
    async with limited(ApiLimits(in_progress_max=1)) as world:
        status, headers, _ = await world.get("anna")
    assert status == 200
    assert not {"ratelimit", "ratelimit-policy"} & headers.keys()


@pytest.mark.parametrize("kind", ["slow answers", "slow bodies"])
async def test_one_caller_cannot_take_the_places_of_the_others(kind: str) -> None:
    """It opens four times what it may have, and another caller is served all the same."""
    before = counted("caller_requests_refused_total")
    async with limited(ApiLimits(in_progress_max=2), http_limit=3) as world:
        taken: list[Wire] = []
        opened = [wire_to(world.server) for _ in range(8)]
        for number, each in enumerate(opened):
            wire = await each.__aenter__()
            more = "content-length: 5\r\n" if kind == "slow bodies" else ""
            path = "/echo" if kind == "slow bodies" else "/held"
            await wire.send(request("greedy", path, method="POST", more=more))
            if number < 2:
                await eventually(lambda: _must_be_in_progress(world, len(taken) + 1))
                taken.append(wire)
            else:
                status, headers, body = await wire.answer()
                assert (status, headers["retry-after"]) == (429, "1")
                assert b'"code":"too-many-requests-in-progress"' in body
                # A body that is not read must not keep the connection.
                assert (headers.get("connection") == "close") == (kind == "slow bodies")
        assert (await world.get("modest"))[0] == 200
        world.app.release.set()
        for wire in taken:
            await wire.send(b"hello" if kind == "slow bodies" else b"")
            assert (await wire.answer())[0] == 200
        await eventually(lambda: _must_be_in_progress(world, 0))
        assert (await world.get("greedy"))[0] == 200
        for each in opened:
            await each.__aexit__(None, None, None)
    assert counted("caller_requests_refused_total") == before + 6


def _must_be_in_progress(world: World, number: int) -> None:
    layer = world.access._app
    assert layer._in_progress.total() == number  # type: ignore[attr-defined]


async def test_an_address_with_too_many_bad_tokens_is_not_asked_for_another() -> None:
    limits = ApiLimits(failed_authentications=Budget("failed-authentications", 0.01, 3), addresses=PROXIED)
    async with limited(limits) as world:
        here, there = "203.0.113.1", "203.0.113.2"
        assert await world.statuses(4, "bad", address=here) == [401] * 4
        asked = world.access.asked
        status, headers, body = await world.get("bad", address=here)
        assert (status, world.access.asked) == (429, asked)
        assert 1 <= int(headers["retry-after"]) <= 101
        assert b'"code":"too-many-failed-authentications"' in body
        assert await world.statuses(1, "unknown", address=here) == [429]
        # Others of the same address, and other addresses, are served.
        assert await world.statuses(2, "known", address=here) == [200, 200]
        assert await world.statuses(1, "unknown", address=there) == [200]


async def test_who_sends_bad_tokens_locks_nobody_out_of_its_address_for_long() -> None:
    """The whole chain; the good token is known no longer, so it is checked again."""
    asks = guard(known_seconds_max=1e-9)
    row = Row("GET", "/", Right.OPS_READ)
    limits = ApiLimits(failed_authentications=Budget("failed-authentications", 0.01, 1))
    chain = limits.around(SampleApp(), lambda inner: AccessLayer(inner, lambda _: row, asks), asks)
    good, new = bearer(Right.OPS_READ), bearer(Right.OPS_READ, sub="somebody-new")
    bad = {"authorization": "Bearer bad"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(chain), base_url="http://x") as client:
        sent = [
            (await client.get("/", headers=each)).status_code for each in (good, bad, bad, bad, good, new)
        ]
    assert sent == [200, 401, 401, 429, 200, 429]


async def test_good_tokens_are_never_counted_as_failures() -> None:
    limits = ApiLimits(failed_authentications=Budget("failed-authentications", 0.01, 1))
    async with limited(limits) as world:
        assert await world.statuses(5, "anna") == [200] * 5
        assert await world.statuses(2, "bad") == [401, 401]
