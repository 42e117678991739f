"""Overload over real connections: who waits, who is refused with what, and what is never refused."""

from collections.abc import Iterator

import pytest

from shared.ops.http.asgi import Scope
from shared.ops.overload.lanes import Lane
from shared.ops.overload.overload import Overload, OverloadLimits
from shared.ops.overload.place import LOOP_IS_LATE
from tests.counters import counted
from tests.eventually import eventually
from tests.unit.ops.http_wire import GET, SampleApp, Wire, echo, serving, wire_to

HELD = b"GET /held HTTP/1.1\r\nhost: x\r\n\r\n"
EMPTY_POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"
PATIENCE_SECONDS = 600.0


@pytest.fixture
def app() -> Iterator[SampleApp]:
    made = SampleApp()
    yield made
    made.release.set()


def overload(seconds_max: float = PATIENCE_SECONDS, lanes: tuple[Lane, ...] = (Lane("all"),)) -> Overload:
    def lane_of(scope: Scope) -> str:
        return lanes[-1].name if scope["path"] == "/echo" else lanes[0].name

    return Overload(OverloadLimits(1, seconds_max, seconds_max, 5.0), lanes, lane_of)


async def waiting_are(house: Overload, count: int) -> None:
    def are() -> None:
        assert house.queue.waiting() == count

    await eventually(are)


def shed(reason: str) -> float:
    return counted("http_server_requests_shed_total", reason=reason)


async def hold(app: SampleApp, wire: Wire) -> None:
    await wire.send(HELD)
    await app.entered.wait()


async def test_a_request_waits_for_a_place_and_is_answered(app: SampleApp) -> None:
    house = overload()
    async with serving(app, overload=house) as server, wire_to(server) as held, wire_to(server) as wire:
        await hold(app, held)
        await wire.send(GET)
        await waiting_are(house, 1)
        assert app.executed == ["/held"]
        app.release.set()
        assert (await wire.answer())[0] == 200
        assert (await held.answer())[0] == 200
    assert house.queue.at_work == 0


@pytest.mark.parametrize("request_bytes", [GET, EMPTY_POST, echo(b"body"), echo(b"")])
async def test_a_request_that_waits_too_long_is_503_with_retry_after_and_was_never_begun(
    app: SampleApp, request_bytes: bytes
) -> None:
    before = shed("waited")
    house = overload(seconds_max=0.01)
    async with serving(app, overload=house) as server, wire_to(server) as held, wire_to(server) as wire:
        await hold(app, held)
        await wire.send(request_bytes)
        status, headers, body = await wire.answer()
        assert (status, headers["retry-after"]) == (503, "1")
        assert b'"overloaded"' in body
        assert app.executed == ["/held"]
        app.release.set()
        await held.answer()
        await wire.send(request_bytes)  # the connection goes on
        assert (await wire.answer())[0] == 200
    assert shed("waited") == before + 1
    assert house.queue.at_work == 0


async def test_a_body_that_is_still_arriving_holds_no_place(app: SampleApp) -> None:
    house = overload()
    async with serving(app, overload=house) as server, wire_to(server) as half, wire_to(server) as wire:
        await half.send(echo(b"whole")[:-1])
        await wire.send(GET)
        assert (await wire.answer())[0] == 200
        await half.send(b"e")
        assert (await half.answer())[2] == b"whole"
    assert house.queue.at_work == 0


async def test_another_kind_of_request_is_not_behind_a_lane_that_is_full(app: SampleApp) -> None:
    house = Overload(
        OverloadLimits(2, PATIENCE_SECONDS, PATIENCE_SECONDS, 5.0),
        (Lane("batches", 1), Lane("commands")),
        lambda scope: "commands" if scope["path"] == "/echo" else "batches",
    )
    async with serving(app, overload=house) as server, wire_to(server) as held, wire_to(server) as batch:
        await hold(app, held)
        await batch.send(GET)
        await waiting_are(house, 1)
        async with wire_to(server) as command:
            await command.send(echo(b"a command"))
            assert (await command.answer())[2] == b"a command"
        app.release.set()
        assert (await batch.answer())[0] == 200


async def test_while_the_loop_is_late_new_requests_are_refused_and_served_again_afterwards(
    app: SampleApp,
) -> None:
    before = shed(LOOP_IS_LATE)
    house = overload()
    async with serving(app, overload=house) as server, wire_to(server) as wire:
        house.loop_delay.stop()  # its samples come from the test
        house.loop_delay.note(6.0, 0.0)
        house.loop_delay.note(6.0, PATIENCE_SECONDS)
        await wire.send(GET)
        assert (await wire.answer())[0] == 503
        house.loop_delay.note(0.0, PATIENCE_SECONDS + 1)
        await wire.send(GET)
        assert (await wire.answer())[0] == 200
    assert shed(LOOP_IS_LATE) == before + 1


async def test_a_port_without_overload_control_never_queues(app: SampleApp) -> None:
    """The operations ports: probes must be answered while the API refuses requests."""
    async with serving(app) as server, wire_to(server) as held, wire_to(server) as wire:
        await hold(app, held)
        await wire.send(GET)
        assert (await wire.answer())[0] == 200
        app.release.set()


async def test_the_client_that_leaves_while_its_request_waits_leaves_no_place_behind(app: SampleApp) -> None:
    house = overload()
    async with serving(app, overload=house) as server, wire_to(server) as held:
        await hold(app, held)
        async with wire_to(server) as gone:
            await gone.send(GET)
            await waiting_are(house, 1)
        app.release.set()
        await held.answer()
        async with wire_to(server) as wire:
            await wire.send(GET)
            assert (await wire.answer())[0] == 200
    assert house.queue.at_work == 0
