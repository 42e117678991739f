"""Which requests are answered before the framework, and what HTTP allows around them."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from command_api.executing.ports import Append, OutcomeUnknown
from command_api.http.lanes import lane_of, lanes
from shared.ops.metrics.requests import HTTP_REQUESTS_IN_FLIGHT
from shared.ops.overload.overload import Overload, OverloadLimits
from tests.counters import counted
from tests.eventually import eventually
from tests.unit.command_http.two_ways import Sent, World, light_alone
from tests.unit.ops.http_wire import Wire, wire_to

JSON_TYPE = ("content-type", "application/json")
PRICE = b'{"amount":"7.50","currency":"EUR"}'
ONE, CHANGE = "/v1/products/{id}", "/v1/products/{id}/variants/{sku}/price"
CREATION = b'{"name":"Shirt %d","variants":[{"sku":"N-%d","price":{"amount":"9","currency":"EUR"}}]}'


@pytest_asyncio.fixture
async def light() -> AsyncIterator[World]:
    async with light_alone() as world:
        yield world


def light_answers(world: World) -> int:
    assert world.counter is not None
    return world.counter.answers


@pytest.mark.parametrize(
    "sent",
    [
        Sent("POST", "/v1/products", [JSON_TYPE], CREATION % (0, 0)),
        Sent("PATCH", ONE, [("content-type", "application/merge-patch+json")], b'{"name":"Another"}'),
        Sent(
            "PUT", "/v1/products/{id}/variants/b", [JSON_TYPE], b'{"price":{"amount":"1","currency":"EUR"}}'
        ),
        Sent("PUT", CHANGE, [JSON_TYPE, ("idempotency-key", "k"), ("if-match", '"1"')], PRICE),
        Sent("PUT", CHANGE, [JSON_TYPE, ("traceparent", "x"), ("connection", "close")], PRICE),
        Sent("POST", f"{ONE}/publish"),
        Sent("DELETE", ONE),
        Sent("DELETE", "/v1/products/{id}/variants/{sku}"),  # 409: the last one stays
        Sent("POST", f"{ONE}/archive"),  # 409: it is a draft
        Sent("PUT", CHANGE, [JSON_TYPE, ("if-match", '"9"')], PRICE),  # 412
    ],
)
async def test_a_single_command_is_answered_before_the_framework(light: World, sent: Sent) -> None:
    await light.answers([sent])
    assert light_answers(light) == 2  # the creation of the product is one, too


@pytest.mark.parametrize(
    "sent",
    [
        Sent("POST", "/v1/products:batch", [JSON_TYPE], b"[]"),
        Sent("GET", ONE),
        Sent("PUT", CHANGE, [JSON_TYPE], PRICE, is_chunked=True),
        Sent("PUT", CHANGE, [JSON_TYPE], PRICE, version="1.0"),
        Sent("PUT", CHANGE, [JSON_TYPE, JSON_TYPE], PRICE),
        Sent("PUT", CHANGE, [JSON_TYPE, ("idempotency-key", "a"), ("idempotency-key", "b")], PRICE),
        Sent("PUT", CHANGE, [JSON_TYPE, ("origin", "https://shop.example")], PRICE),
        Sent("PUT", CHANGE, [JSON_TYPE, ("content-encoding", "gzip")], PRICE),
        Sent("PUT", CHANGE, [("content-type", "text/plain")], PRICE),
        Sent("PUT", f"{CHANGE}?a=b", [JSON_TYPE], PRICE),
        Sent("PUT", CHANGE, [JSON_TYPE], b"{}"),
        Sent("PUT", CHANGE, [JSON_TYPE, ("if-match", "1")], PRICE),
        Sent("POST", f"{ONE}/publish", (), b"{}"),
        Sent("POST", "/v1/products/no-id/publish"),
    ],
)
async def test_an_unusual_request_is_left_to_the_framework(light: World, sent: Sent) -> None:
    await light.answers([sent])
    assert light_answers(light) == 1


async def test_a_request_in_pieces_is_the_same_request(light: World) -> None:
    sku = "S-pieces"
    product_id = await light.create(sku, ())
    whole = Sent("PUT", CHANGE, [JSON_TYPE], PRICE)
    sent = whole.head(product_id, sku) + whole.content
    for cut in (5, 60, len(sent) - len(PRICE), len(sent) - 3):
        async with wire_to(light.server) as wire:
            await wire.send(sent[:cut])
            for _ in range(20):
                await asyncio.sleep(0)
            await wire.send(sent[cut:])
            assert (await wire.answer())[0] == 200
    assert light_answers(light) == 3  # the creation, and those whose body came with the end of their head


async def test_pipelined_requests_are_answered_in_their_order(light: World) -> None:
    creations = [Sent("POST", "/v1/products", [JSON_TYPE], CREATION % (n, n)) for n in range(6)]
    async with wire_to(light.server) as wire:
        await wire.send(b"".join(each.head("", "") + each.content for each in creations))
        slugs = [(await wire.answer())[2] for _ in creations]
    assert [b'"slug":"shirt-%d"' % n in slug for n, slug in enumerate(slugs)] == [True] * 6


async def test_what_comes_while_a_command_is_executed_is_answered_after_it(light: World) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def hold(_: Append) -> None:
        began.set()
        await go_on.wait()

    light.store.before_append = hold
    creations = [Sent("POST", "/v1/products", [JSON_TYPE], CREATION % (n, n)) for n in range(3)]
    async with wire_to(light.server) as wire:
        await wire.send(creations[0].head("", "") + creations[0].content)
        await began.wait()
        assert HTTP_REQUESTS_IN_FLIGHT.collect()[0].samples[0].value == 1
        rest = b"".join(each.head("", "") + each.content for each in creations[1:])
        await wire.send(rest[:30])
        await eventually(lambda: must_hold_something(light))
        await wire.send(rest[30:])
        wire.writer.write_eof()
        go_on.set()
        answers = await wire.answers_until_closed()
    assert [status for status, _ in answers] == [201, 201, 201]
    assert [b"shirt-%d" % n in body for n, (_, body) in enumerate(answers)] == [True] * 3
    assert HTTP_REQUESTS_IN_FLIGHT.collect()[0].samples[0].value == 0


def must_hold_something(world: World) -> None:
    (connection,) = world.server._uvicorn.server_state.connections
    assert connection._held  # type: ignore[union-attr]


async def test_a_client_that_leaves_does_not_stop_its_command(light: World) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def hold(_: Append) -> None:
        began.set()
        await go_on.wait()

    light.store.before_append = hold
    creation = Sent("POST", "/v1/products", [JSON_TYPE], CREATION % (0, 0))
    async with wire_to(light.server) as wire:
        await wire.send(creation.head("", "") + creation.content)
        await began.wait()
        reset(wire)
    connections = light.server._uvicorn.server_state.connections
    await eventually(lambda: must_be_empty(connections))
    go_on.set()
    await eventually(lambda: must_be_one(light.store.appends))


def reset(wire: Wire) -> None:
    """End the connection at once, and not only what the client sends."""
    lingers_for_no_time = struct.pack("ii", 1, 0)
    wire.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingers_for_no_time)
    wire.writer.transport.abort()


def must_be_empty(found: set[object]) -> None:
    assert not found


def must_be_one(found: list[Append]) -> None:
    assert len(found) == 1


async def test_a_server_that_stops_answers_the_command_and_ends_the_connection(light: World) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def hold(_: Append) -> None:
        began.set()
        await go_on.wait()

    light.store.before_append = hold
    creation = Sent("POST", "/v1/products", [JSON_TYPE], CREATION % (0, 0))
    async with wire_to(light.server) as wire:
        await wire.send(creation.head("", "") + creation.content)
        await began.wait()
        stopping = asyncio.create_task(light.server.stop(5))
        await asyncio.sleep(0)
        go_on.set()
        status, headers, _ = await wire.answer()
    await stopping
    assert (status, headers["connection"]) == (201, "close")


async def test_an_outage_and_a_bug_are_answered_and_the_next_command_is_as_always(light: World) -> None:
    for error, expected in ((OutcomeUnknown("broken"), 503), (RuntimeError("broken"), 500)):

        async def fail(_: Append, error: Exception = error) -> None:
            raise error

        light.store.before_append = fail
        creation = Sent("POST", "/v1/products", [JSON_TYPE], CREATION % (expected, expected))
        async with wire_to(light.server) as wire:
            for status in (expected, 201):
                await wire.send(creation.head("", "") + creation.content)
                assert (await wire.answer())[0] == status


def one_place(seconds_max: float = 0.05) -> Overload:
    return Overload(OverloadLimits(1, seconds_max, seconds_max, 600.0), lanes(1), lane_of)


async def test_a_request_that_is_handed_on_takes_its_place_with_it() -> None:
    async with light_alone(overload=one_place()) as world:
        sent = [Sent("PUT", CHANGE, [JSON_TYPE], b"{}"), Sent("PUT", CHANGE, [JSON_TYPE], PRICE)]
        found = await world.answers([*sent, *sent, Sent("POST", "/v1/products/no-id/publish"), *sent])
        assert [each[0] for each in found[:7]] == [422, 200, 422, 200, 404, 422, 200]
        assert light_answers(world) == 4


async def test_who_is_turned_away_is_refused_and_counted_once() -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def hold(_: Append) -> None:
        began.set()
        await go_on.wait()

    creations = [Sent("POST", "/v1/products", [JSON_TYPE], CREATION % (n, n)) for n in range(2)]
    async with light_alone(overload=one_place()) as world:
        world.store.before_append = hold
        first = asyncio.create_task(world.answer(creations[0]))
        await began.wait()
        before = counted("http_server_requests_shed_total", reason="waited")
        status, headers, body = await world.answer(creations[1])
        assert (status, headers["retry-after"]) == (503, "1")
        assert '"overloaded"' in body
        assert counted("http_server_requests_shed_total", reason="waited") - before == 1
        go_on.set()
        assert (await first)[0] == 201
        assert (await world.answer(creations[1]))[0] == 201


async def test_a_place_that_nobody_needs_any_more_is_free_again() -> None:
    """Its client has left while it waited, and so it cannot be handed on."""
    began, go_on = asyncio.Event(), asyncio.Event()

    async def hold(_: Append) -> None:
        began.set()
        await go_on.wait()

    overload = one_place(seconds_max=60)
    creations = [Sent("POST", "/v1/products", [JSON_TYPE], CREATION % (n, n)) for n in range(2)]
    bad = Sent("POST", "/v1/products", [JSON_TYPE], b"{}")
    async with light_alone(overload=overload) as world:
        world.store.before_append = hold
        first = asyncio.create_task(world.answer(creations[0]))
        await began.wait()
        async with wire_to(world.server) as wire:
            await wire.send(bad.head("", "") + bad.content)
            await eventually(lambda: must_wait(overload, 1))
            reset(wire)
        connections = world.server._uvicorn.server_state.connections
        await eventually(lambda: must_be_alone(connections))
        go_on.set()
        assert (await first)[0] == 201
        assert (await world.answer(creations[1]))[0] == 201
        assert overload.queue.at_work == 0


def must_wait(overload: Overload, requests: int) -> None:
    assert overload.queue.waiting() == requests


def must_be_alone(found: set[object]) -> None:
    assert len(found) == 1
