"""Which heads are refused before anything is made of them, and how (RFC 9112; real sockets)."""

import json
from collections.abc import AsyncIterator

import pytest

from shared.ops.http.server import HttpServer
from tests.unit.ops.http_wire import CLOSE, SampleApp, answers, serving, wire_to

BODY = b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n"


@pytest.fixture
def app() -> SampleApp:
    return SampleApp()


@pytest.fixture
async def server(app: SampleApp) -> AsyncIterator[HttpServer]:
    async with serving(app) as running:
        yield running


def head(*lines: bytes, start: bytes = b"GET / HTTP/1.1") -> bytes:
    return b"\r\n".join([start, *lines]) + b"\r\n\r\n"


async def refused(server: HttpServer, sent: bytes) -> tuple[int, str]:
    found = await answers(server, sent)
    assert len(found) == 1
    status, body = found[0]
    return status, json.loads(body)["code"]


@pytest.mark.parametrize(
    "hosts",
    [(), (b"host: x", b"host: x"), (b"host: a", b"host: b"), (b"host: a b",), (b"host: a/b",),
     (b"host: \xff",), (b"host: x:port",), (b"host: u@x",), (b"host: [::1",), (b"host: %zz",)],
)  # fmt: skip
async def test_http_1_1_needs_one_host(server: HttpServer, app: SampleApp, hosts: tuple[bytes, ...]) -> None:
    assert await refused(server, head(*hosts)) == (400, "malformed-request")
    assert app.executed == []


@pytest.mark.parametrize(
    "host", [b"x", b"10.0.0.1:9100", b"[::1]:8000", b"query_api:8001", b"", b"EXAMPLE.com.", b"x:"]
)
async def test_a_host_with_or_without_port_is_taken(server: HttpServer, host: bytes) -> None:
    assert await answers(server, head(b"host: " + host, b"connection: close")) == [(200, b"done")]


async def test_http_1_0_needs_no_host_and_knows_no_chunks(server: HttpServer) -> None:
    assert await answers(server, head(start=b"GET / HTTP/1.0")) == [(200, b"done")]
    two = head(b"host: x", b"host: y", start=b"GET / HTTP/1.0")
    assert await refused(server, two) == (400, "malformed-request")
    chunked = b"POST /echo HTTP/1.0\r\nhost: x\r\ntransfer-encoding: chunked" + BODY
    assert await refused(server, chunked) == (400, "malformed-request")


@pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/0.9"])
async def test_other_versions_are_505(server: HttpServer, version: bytes) -> None:
    sent = head(b"host: x", start=b"GET / " + version)
    assert await refused(server, sent) == (505, "http-version-not-supported")


@pytest.mark.parametrize(
    ("coding", "status"),
    [(b"gzip, chunked", 501), (b"gzip,chunked", 501), (b"identity, chunked", 501), (b"gzip", 400),
     (b"identity", 400), (b"chunked, gzip", 400), (b"chunked, chunked", 400), (b"xchunked", 400),
     (b"", 400), (b"chunked\r\ntransfer-encoding: chunked", 400),
     (b"chunked\r\ncontent-length: 3", 400)],
)  # fmt: skip
async def test_a_transfer_coding_that_is_not_read_is_refused_and_nothing_is_executed(
    server: HttpServer, app: SampleApp, coding: bytes, status: int
) -> None:
    for path in (b"/", b"/echo"):
        sent = b"POST " + path + b" HTTP/1.1\r\nhost: x\r\ntransfer-encoding: " + coding + BODY
        assert (await refused(server, sent))[0] == status
    assert app.executed == []


async def test_chunked_is_read_in_any_case(server: HttpServer) -> None:
    for coding in (b"Chunked", b"\tCHUNKED "):
        sent = b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding:" + coding + BODY
        assert await answers(server, sent + CLOSE) == [(200, b"abc"), (200, b"done")]


@pytest.mark.parametrize(
    "line",
    [b"content-length: -3", b"content-length: +3", b"content-length: 0x3", b"content-length: 3_0",
     b"content-length: ", b"content-length: 3, 3", b"content-length: 3\r\ncontent-length: 3",
     b"content-length: 3\r\ncontent-length: 4", b"content-length: 99999999999999999999",
     b"x: a\r\n b", b"x : a", b" x: a", b"x: a\nhost: y", b"x: a\rb", b"x: a\x00b", b"x: a\x01b",
     b"x\x00: a", b": a", b"no colon"],
)  # fmt: skip
async def test_a_head_that_two_readers_might_read_differently_is_400(
    server: HttpServer, app: SampleApp, line: bytes
) -> None:
    sent = head(b"host: x", line, start=b"POST / HTTP/1.1") + b"abc"
    assert await refused(server, sent) == (400, "malformed-request")
    assert app.executed == []


async def test_an_address_that_is_too_long_is_414_and_says_the_limit(server: HttpServer) -> None:
    for sent in (
        head(b"host: x", start=b"GET /" + b"x" * 70_000 + b" HTTP/1.1"),
        head(b"host: x", start=b"GET /?q=" + b"x" * 32_768 + b" HTTP/1.1"),
        b"GET /" + b"x" * 200_000,
    ):
        status, body = (await answers(server, sent))[0]
        assert (status, json.loads(body)["code"]) == (414, "uri-too-long")
        assert "32768 bytes" in json.loads(body)["title"]
    longest = head(b"host: x", b"connection: close", start=b"GET /" + b"x" * 32_767 + b" HTTP/1.1")
    assert await answers(server, longest) == [(200, b"done")]


async def test_a_head_has_the_same_limit_in_one_read_as_in_many(server: HttpServer) -> None:
    lines = [b"x-%d: " % number + b"x" * 1000 for number in range(66)]
    sent = head(b"host: x", *lines)
    assert await refused(server, sent) == (431, "head-too-large")
    pieces = [sent[place : place + 999] for place in range(0, len(sent), 999)]
    assert [status for status, _ in await answers(server, *pieces)] == [431]
    assert await answers(server, head(b"host: x", b"connection: close", *lines[:60])) == [(200, b"done")]


async def test_an_absolute_address_is_taken_as_its_path(server: HttpServer, app: SampleApp) -> None:
    for target in (b"http://x", b"HTTP://x/", b"http://x?q=/"):
        start = b"GET " + target + b" HTTP/1.1"
        assert await answers(server, head(b"host: x", b"connection: close", start=start)) == [(200, b"done")]
    assert app.executed == ["/", "/", "/"]


async def test_a_head_in_single_bytes_is_the_same_request(server: HttpServer) -> None:
    async with wire_to(server) as wire:
        await wire.send(*[CLOSE[place : place + 1] for place in range(len(CLOSE))])
        assert await wire.answers_until_closed() == [(200, b"done")]
