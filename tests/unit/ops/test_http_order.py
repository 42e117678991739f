"""What is refused on a connection is answered in its turn, after all that was asked before (real sockets)."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from shared.ops.http.limits import DRAINED_BYTES_MAX, HEAD_BYTES_MAX, ConnectionLimits
from shared.ops.http.server import HttpServer
from tests.unit.ops.http_wire import CHUNKED, CLOSE, GET, SampleApp, answers, echo, serving, wire_to


@pytest.fixture
def app() -> SampleApp:
    return SampleApp()


@pytest.fixture
async def server(app: SampleApp) -> AsyncIterator[HttpServer]:
    async with serving(app) as running:
        yield running


JUNK = b"junk\r\n\r\n"
HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
TLS = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


@pytest.mark.parametrize("junk", [JUNK, HTTP2, TLS, b"\x00", b"GET /\xff HTTP/1.1\r\n\r\n"])
async def test_what_was_executed_is_answered_before_what_is_no_http(
    server: HttpServer, app: SampleApp, junk: bytes
) -> None:
    found = await answers(server, echo(b"one") + echo(b"two") + GET + junk)
    assert [status for status, _ in found] == [200, 200, 200, 400]
    assert [body for _, body in found[:3]] == [b"one", b"two", b"done"]
    assert json.loads(found[3][1])["code"] == "malformed-request"
    assert app.executed == ["/echo", "/echo", "/"]


@pytest.mark.parametrize("junk", [JUNK, HTTP2, TLS])
async def test_what_is_no_http_alone_is_400(server: HttpServer, junk: bytes) -> None:
    assert [status for status, _ in await answers(server, junk)] == [400]


async def test_a_refusal_waits_for_an_answer_that_takes_long(server: HttpServer, app: SampleApp) -> None:
    async with wire_to(server) as wire:
        await wire.send(b"POST /held HTTP/1.1\r\nhost: x\r\n\r\n", JUNK, b"x" * 100_000)
        await app.entered.wait()
        app.release.set()
        assert [status for status, _ in await wire.answers_until_closed()] == [200, 400]


@pytest.mark.parametrize(
    ("late", "status"),
    [
        (b"GET / HTTP/1.1\r\nhost: x\r\nx-long: " + b"x" * (HEAD_BYTES_MAX + 1), 431),
        (b"GET /" + b"x" * 70_000, 414),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
    ],
)
async def test_what_is_too_large_waits_for_its_turn_too(
    server: HttpServer, app: SampleApp, late: bytes, status: int
) -> None:
    async with wire_to(server) as wire:
        await wire.send(b"POST /held HTTP/1.1\r\nhost: x\r\n\r\n")
        await app.entered.wait()
        await wire.send(late)
        app.release.set()
        assert [each for each, _ in await wire.answers_until_closed()] == [200, status]


@pytest.mark.parametrize("bad", [b"nonsense\r\n", b"3\r\nabcXX", b"-3\r\n", b"3\nabc"])
async def test_a_body_that_breaks_is_that_requests_400_and_nothing_is_executed(
    server: HttpServer, app: SampleApp, bad: bytes
) -> None:
    found = await answers(server, echo(b"one") + CHUNKED + b"2\r\nab\r\n", bad + JUNK)
    assert [status for status, _ in found] == [200, 400]
    assert app.executed == ["/echo"]


async def test_a_body_that_breaks_after_the_application_began_is_answered_by_it_and_closed(
    server: HttpServer, app: SampleApp
) -> None:
    head = b"POST /held HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    async with wire_to(server) as wire:
        await wire.send(head)
        await app.entered.wait()
        await wire.send(b"nonsense\r\n\r\n")
        app.release.set()
        assert await wire.answers_until_closed() == [(200, b"done")]


async def test_what_follows_a_request_that_closes_is_ignored(server: HttpServer, app: SampleApp) -> None:
    assert await answers(server, CLOSE + JUNK + GET) == [(200, b"done")]
    assert await answers(server, echo(b"one", b"connection: close\r\n") + JUNK) == [(200, b"one")]
    assert app.executed == ["/", "/echo"]


async def test_a_client_that_ends_its_side_gets_its_answers(server: HttpServer, app: SampleApp) -> None:
    assert await answers(server, GET + echo(b"one"), ends=True) == [(200, b"done"), (200, b"one")]
    async with wire_to(server) as wire:
        await wire.send(b"GET /held HTTP/1.1\r\nhost: x\r\n\r\n")
        app.entered.clear()
        wire.writer.write_eof()
        await app.entered.wait()
        app.release.set()
        status, headers, _ = await wire.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await wire.reader.read() == b""


@pytest.mark.parametrize("half", [b"GET / HT", echo(b"whole")[:-1], CHUNKED + b"2\r\nab\r\n"])
async def test_a_request_that_ends_half_way_is_400_and_not_executed(
    server: HttpServer, app: SampleApp, half: bytes
) -> None:
    found = await answers(server, GET + half, ends=True)
    assert [status for status, _ in found] == [200, 400]
    assert app.executed == ["/"]


async def test_an_upgrade_is_ignored_and_the_connection_goes_on(server: HttpServer) -> None:
    upgrade = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"
    assert await answers(server, upgrade * 3000 + echo(b"one") + CLOSE) == [
        *[(200, b"done")] * 3000,
        (200, b"one"),
        (200, b"done"),
    ]


async def test_an_answer_before_the_body_leaves_the_connection_usable(server: HttpServer) -> None:
    early = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n"
    async with wire_to(server) as wire:
        await wire.send(early)
        assert (await wire.answer())[0] == 200
        await wire.send(b"x" * 200_000 + CLOSE)
        assert await wire.answers_until_closed() == [(200, b"done")]


async def test_the_rest_of_an_answered_body_is_read_to_a_bound(server: HttpServer) -> None:
    async with wire_to(server) as wire:
        await wire.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n")
        assert (await wire.answer())[0] == 200
        await wire.send(*[b"x" * 1_000_000] * (DRAINED_BYTES_MAX // 1_000_000 + 2))
        assert await wire.reader.read() == b""


async def test_a_large_body_with_close_does_not_cost_the_client_its_early_answer(server: HttpServer) -> None:
    head = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 8000000\r\n\r\n"
    assert await answers(server, head, *[b"x" * 1_000_000] * 8) == [(200, b"done")]


async def test_an_early_answer_to_a_body_that_is_held_back_closes(server: HttpServer) -> None:
    head = b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n"
    async with wire_to(server) as wire:
        await wire.send(head)
        status, headers, _ = await wire.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await wire.reader.read() == b""


async def test_trailers_are_not_headers(server: HttpServer, app: SampleApp) -> None:
    trailed = CHUNKED + b"3\r\nabc\r\n0\r\nif-match: *\r\nhost: evil\r\n\r\n"
    assert await answers(server, trailed + CLOSE) == [(200, b"abc"), (200, b"done")]
    assert await answers(server, trailed, ends=True) == [(200, b"abc")]
    assert dict(app.headers).keys() == {b"host", b"transfer-encoding"}


async def test_chunk_extensions_and_trailers_are_bounded(server: HttpServer) -> None:
    for endless in (b"3;" + b"x" * 400_000, b"0\r\nx: " + b"x" * 400_000):
        pieces = [endless[place : place + 10_000] for place in range(0, len(endless), 10_000)]
        assert [status for status, _ in await answers(server, CHUNKED, *pieces)] == [431]


async def test_many_small_chunks_are_a_body(server: HttpServer) -> None:
    body = b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n"
    found = await answers(server, CHUNKED, body, CLOSE)
    assert found == [(200, b"x" * 100_000), (200, b"done")]


@pytest.mark.parametrize(
    ("limits", "sent"),
    [
        (ConnectionLimits(body_seconds_max=0.0, bytes_per_second_min=2**40), echo(b"whole")[:-1]),
        (ConnectionLimits(body_seconds_max=0.0, bytes_per_second_min=2**40), CHUNKED + b"2\r\nab\r\n"),
        (ConnectionLimits(head_seconds_max=0.0), b"GET / HTTP/1.1\r\nhost: x\r\n"),
        (ConnectionLimits(head_seconds_max=0.0), b"G"),
    ],
)
async def test_what_does_not_arrive_in_time_is_408_in_its_turn(
    app: SampleApp, limits: ConnectionLimits, sent: bytes
) -> None:
    async with serving(app, limits) as server:
        found = await answers(server, GET + sent)
        assert [status for status, _ in found] == [200, 408]
        assert json.loads(found[1][1])["code"] == "request-timeout"
        assert app.executed == ["/"]


async def test_a_trickle_ends_although_it_never_stops(app: SampleApp) -> None:
    limits = ConnectionLimits(body_seconds_max=0.0, bytes_per_second_min=2**40)
    async with serving(app, limits) as server, wire_to(server) as wire:
        await wire.send(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n")
        reading = asyncio.create_task(wire.answers_until_closed())
        while not reading.done():
            wire.writer.write(b"x")
            await asyncio.sleep(0)
        assert [status for status, _ in await reading] == [408]


async def test_a_body_that_arrives_fast_enough_is_not_late(app: SampleApp) -> None:
    """No time at first, and an hour for each byte."""
    slow = ConnectionLimits(body_seconds_max=3600.0, bytes_per_second_min=1)
    async with serving(app, slow) as server:
        body = b"x" * 300_000
        pieces = [echo(body)[place : place + 1000] for place in range(0, len(body), 1000)]
        async with wire_to(server) as wire:
            await wire.send(*pieces, echo(body)[len(pieces) * 1000 :])
            assert (await wire.answer())[2] == body


async def test_the_rest_of_an_answered_body_has_its_time_too(app: SampleApp) -> None:
    async with serving(app, ConnectionLimits(body_seconds_max=0.0, bytes_per_second_min=2**40)) as server:
        early = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n"
        assert await answers(server, early) == [(200, b"done")]


async def test_half_sent_bodies_hold_no_place_among_the_requests_in_flight(app: SampleApp) -> None:
    async with serving(app, http_limit=1) as server, wire_to(server) as half, wire_to(server) as other:
        for wire in (half, other):
            await wire.send(echo(b"whole")[:-1])
        assert await answers(server, CLOSE) == [(200, b"done")]
        await half.send(b"e")
        assert (await half.answer())[2] == b"whole"


async def test_a_body_that_completes_while_all_places_are_taken_is_503(app: SampleApp) -> None:
    async with serving(app, http_limit=1) as server, wire_to(server) as half, wire_to(server) as held:
        await half.send(echo(b"whole")[:-1])
        await held.send(b"GET /held HTTP/1.1\r\nhost: x\r\n\r\n")
        await app.entered.wait()
        await half.send(b"e")
        status, headers, _ = await half.answer()
        assert (status, headers["retry-after"]) == (503, "1")
        app.release.set()
        assert (await held.answer())[0] == 200
        await half.send(echo(b"again"))
        assert (await half.answer())[2] == b"again"
    assert app.executed == ["/held", "/echo"]


async def test_the_bodies_that_are_held_are_bounded_together(app: SampleApp) -> None:
    async with serving(app, ConnectionLimits(bodies_bytes_max=10)) as server, wire_to(server) as wire:
        await wire.send(echo(b"x" * 11) + echo(b"x" * 10))
        assert [(await wire.answer())[0] for _ in range(2)] == [503, 200]
        assert app.executed == ["/echo"]
        await wire.send(echo(b"x" * 12)[:-1])
        status, headers, _ = await wire.answer()
        assert (status, headers["connection"]) == (503, "close")


async def test_a_client_that_does_not_read_its_answer_is_cut_off(app: SampleApp) -> None:
    app.answer = b"x" * 50_000_000
    limits = ConnectionLimits(answer_seconds_max=0.0, bytes_per_second_min=2**40)
    async with serving(app, limits) as server, wire_to(server) as deaf:
        deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await deaf.send(GET)
        await app.entered.wait()
        deaf.writer.transport.resume_reading()  # type: ignore[attr-defined]
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await deaf.reader.readexactly(50_000_000)
