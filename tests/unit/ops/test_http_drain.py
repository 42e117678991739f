"""A server that stops serves on for a while, and asks each client to go on with another connection."""

import asyncio

from shared.ops.http.server import HttpServer
from tests.eventually import eventually
from tests.unit.ops.http_wire import GET, SampleApp, serving, wire_to


async def test_a_request_on_an_idle_connection_is_answered_and_told_to_go() -> None:
    async with serving(SampleApp()) as server, wire_to(server) as one, wire_to(server) as other:
        for wire in (one, other):
            await wire.send(GET)
            assert "connection" not in (await wire.answer())[1]
        stop = await _draining(server)
        for wire in (one, other):
            await wire.send(GET)
            status, headers, body = await wire.answer()
            assert (status, headers["connection"], body) == (200, "close", b"done")
            assert await wire.reader.read() == b""
        # No connection is left: nobody waits for the rest of the 30 s.
        await stop


async def test_a_request_in_flight_is_the_last_one_of_its_connection() -> None:
    app = SampleApp()
    async with serving(app) as server, wire_to(server) as wire:
        await wire.send(b"GET /held HTTP/1.1\r\nhost: x\r\n\r\n")
        await app.entered.wait()
        await _draining(server)
        app.release.set()
        status, headers, body = await wire.answer()
        assert (status, headers["connection"], body) == (200, "close", b"done")
        assert await wire.reader.read() == b""


async def test_new_connections_are_served_and_told_to_go() -> None:
    async with serving(SampleApp()) as server, wire_to(server):
        await _draining(server)
        async with wire_to(server) as late:

            async def is_told() -> None:
                await late.send(GET)
                status, headers, _ = await late.answer()
                assert (status, headers.get("connection")) == (200, "close")

            await eventually(is_told)
            assert await late.reader.read() == b""


async def test_connections_that_stay_idle_are_closed_at_the_end() -> None:
    async with serving(SampleApp()) as server, wire_to(server) as wire:
        await wire.send(GET)
        await wire.answer()
        await server.stop(60, drain_seconds=0.1)
        assert await wire.reader.read() == b""


async def _draining(server: HttpServer) -> "asyncio.Task[None]":
    stop = asyncio.create_task(server.stop(60, drain_seconds=30))
    await asyncio.sleep(0)
    return stop
