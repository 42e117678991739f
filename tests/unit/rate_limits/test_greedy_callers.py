"""One caller with very many slow requests, spoken to over a socket: others are served, limits or not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from shared.access.caller import Caller, keep_caller
from shared.ops.http.asgi import ASGIApp, Receive, Scope, Send
from shared.ops.http.request_layer import RequestLayer
from shared.ops.http.server import HttpServer
from shared.ops.overload.lanes import Lane
from shared.ops.overload.overload import Overload, OverloadLimits
from shared.rate_limits.api_limits import ApiLimits
from shared.rate_limits.client_address import ClientAddresses, networks_of
from tests.counters import counted
from tests.eventually import eventually
from tests.unit.ops.http_wire import SampleApp, Wire, wire_to

PATIENCE_SECONDS = 600.0
PLACES = 8
GREEDY = 200
PROXIED = ClientAddresses(networks_of("127.0.0.0/8"))


class NamedCallers:
    """Stands in for access control: the header `caller` names the caller."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = dict(scope["headers"]).get(b"caller", b"").decode()
        if name:
            keep_caller(scope, Caller(name, frozenset(), None, 0.0))
        await self._app(scope, receive, send)


class World:
    """A served application with a work queue. `held` are the wires of requests that are still due."""

    def __init__(self, app: SampleApp, server: HttpServer, queue: Overload, stack: AsyncExitStack) -> None:
        self.app, self.server, self.queue, self._stack = app, server, queue.queue, stack

    async def wire(self) -> Wire:
        return await self._stack.enter_async_context(wire_to(self.server))

    async def sent(self, *lines: str, path: str = "/held") -> Wire:
        wire = await self.wire()
        head = "\r\n".join((f"GET {path} HTTP/1.1", "host: x", *lines))
        await wire.send(f"{head}\r\n\r\n".encode())
        return wire

    async def are(self, at_work: int, waiting: int) -> None:
        def must_be() -> None:
            assert (self.queue.at_work, self.queue.waiting()) == (at_work, waiting)

        await eventually(must_be)


@asynccontextmanager
async def served(limits: ApiLimits, seconds_max: float = PATIENCE_SECONDS) -> AsyncIterator[World]:
    app = SampleApp()
    overload = Overload(
        OverloadLimits(PLACES, seconds_max, seconds_max, PATIENCE_SECONDS),
        [Lane("all")],
        lambda _: "all",
    )
    layers = RequestLayer(limits.around(app, NamedCallers, None))
    server = HttpServer(layers, host="127.0.0.1", port=0, port_setting="P", overload=overload)
    await server.start()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.stop, 5)
        stack.callback(app.release.set)
        yield World(app, server, overload, stack)


@pytest.mark.parametrize(
    ("limits", "greedy", "modest"),
    [
        (ApiLimits(), "caller: greedy", "caller: modest"),
        (ApiLimits(addresses=PROXIED), "x-forwarded-for: 203.0.113.1", "x-forwarded-for: 203.0.113.2"),
    ],
    ids=["by caller", "without access control by address"],
)
async def test_a_caller_with_hundreds_of_slow_requests_does_not_keep_another_one_waiting(
    limits: ApiLimits, greedy: str, modest: str
) -> None:
    async with served(limits) as world:
        await asyncio.gather(*(world.sent(greedy) for _ in range(GREEDY)))
        await world.are(at_work=6, waiting=GREEDY - 6)
        wire = await world.sent(modest, path="/")
        assert (await wire.answer())[0] == 200
        assert world.app.executed.count("/held") == 6


async def test_a_caller_over_its_limit_is_refused_before_it_waits_for_a_place() -> None:
    async with served(ApiLimits(in_progress_max=10)) as world:
        wires = [await world.sent("caller: greedy") for _ in range(GREEDY)]
        refused = [await wire.answer() for wire in wires[10:]]
        assert {(status, headers["retry-after"]) for status, headers, _ in refused} == {(429, "1")}
        await world.are(at_work=6, waiting=4)
        wire = await world.sent("caller: modest", path="/")
        assert (await wire.answer())[0] == 200


@pytest.mark.parametrize("more", [(), ("content-length: 4",)], ids=["without a body", "with a body"])
async def test_a_request_that_is_shed_counts_as_503_in_the_rate_of_errors(more: tuple[str, ...]) -> None:
    def answered(status: int) -> float:
        return counted("http_server_request_duration_seconds_count", route="unmatched", status=str(status))

    async with served(ApiLimits(), seconds_max=0.01) as world:
        before = [answered(status) for status in (200, 400, 503)]
        for _ in range(PLACES):
            await world.queue.enter("all")
        wire = await world.sent(*more, path="/echo" if more else "/")
        await wire.send(b"body" if more else b"")
        assert (await wire.answer())[0] == 503

        def is_counted() -> None:
            assert [answered(status) for status in (200, 400, 503)] == [before[0], before[1], before[2] + 1]

        await eventually(is_counted)
