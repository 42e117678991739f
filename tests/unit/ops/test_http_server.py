"""The server binds first, stops in order, refuses overload, and leaves no port behind (real sockets)."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator

import httpx
import pytest

from shared.ops.http.asgi import Receive, Scope, Send, respond
from shared.ops.http.server import HttpServer, PortTaken


class SlowApp:
    """Answers 200 once `release` is set; `entered` says that a request has arrived."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.release = asyncio.Event()

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        self.entered.set()
        if scope["path"] == "/slow":
            await self.release.wait()
        await respond(scope, send, 200, "text/plain", b"done")


@pytest.fixture
def app() -> SlowApp:
    return SlowApp()


@pytest.fixture
async def server(app: SlowApp) -> AsyncIterator[HttpServer]:
    running = HttpServer(app, host="127.0.0.1", port=0, port_setting="QUERY_PORT", http_limit=1)
    await running.start()
    yield running
    app.release.set()
    await running.stop(5)


def client(server: HttpServer) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=30)


def port_is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_port_0_gives_the_bound_port_and_the_answer_names_no_server(server: HttpServer) -> None:
    assert server.port != 0
    async with client(server) as http:
        answer = await http.get("/")
    assert (answer.status_code, answer.text) == (200, "done")
    assert "server" not in answer.headers


async def test_a_taken_port_is_refused_with_the_name_of_its_setting(server: HttpServer, app: SlowApp) -> None:
    second = HttpServer(app, host="127.0.0.1", port=server.port, port_setting="COMMAND_PORT")
    with pytest.raises(PortTaken) as refused:
        await second.start()
    assert str(refused.value) == f"port {server.port} (COMMAND_PORT) is already in use on 127.0.0.1"
    await second.stop(1)


async def test_it_leaves_the_signal_handlers_of_the_process_alone(app: SlowApp) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    server = HttpServer(app, host="127.0.0.1", port=0, port_setting="P")
    await server.start()
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
    await server.stop(1)


async def test_stop_lets_a_request_in_flight_finish_and_takes_no_new_one(
    server: HttpServer, app: SlowApp
) -> None:
    async with client(server) as http:
        request = asyncio.create_task(http.get("/slow"))
        await app.entered.wait()
        stop = asyncio.create_task(server.stop(30))
        await asyncio.sleep(0)
        assert not port_is_open(server.port)
        assert not stop.done()
        app.release.set()
        assert (await request).text == "done"
        await stop


async def test_stop_closes_idle_keep_alive_connections(server: HttpServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    await reader.readuntil(b"done")
    await server.stop(30)
    assert await reader.read() == b""
    writer.close()


async def test_stop_cancels_what_does_not_finish_in_time(server: HttpServer, app: SlowApp) -> None:
    async with client(server) as http:
        request = asyncio.create_task(http.get("/slow"))
        await app.entered.wait()
        await server.stop(0.01)
        with pytest.raises(httpx.HTTPError):
            (await request).raise_for_status()


async def test_stop_twice_and_stop_without_start_do_nothing(server: HttpServer, app: SlowApp) -> None:
    await server.stop(1)
    await server.stop(1)
    await HttpServer(app, host="127.0.0.1", port=0, port_setting="P").stop(1)


async def test_a_request_beyond_the_limit_is_503_with_retry_after_and_the_next_is_served(
    server: HttpServer, app: SlowApp
) -> None:
    async with client(server) as http:
        first = asyncio.create_task(http.get("/slow"))
        await app.entered.wait()
        refused = await http.get("/")
        app.release.set()
        await first
        served = await http.get("/")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "overloaded"
    assert served.status_code == 200


KILLED = """
import asyncio
import uvloop
from shared.ops.health import Health
from shared.ops.http.operations import operations_app
from shared.ops.http.server import HttpServer

async def main():
    server = HttpServer(operations_app(Health("t")), host="127.0.0.1", port=0, port_setting="P")
    await server.start()
    print(server.port, flush=True)
    await asyncio.Event().wait()

uvloop.run(main())
"""


async def test_the_port_closes_with_a_killed_process() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    assert port_is_open(port)
    process.kill()
    await process.wait()
    assert not port_is_open(port)


async def raw_answer(server: HttpServer, *parts: bytes) -> bytes:
    """Send bytes as they are and read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer


async def test_a_malformed_request_gets_a_problem_document_too(server: HttpServer) -> None:
    answer = await raw_answer(server, b"nonsense\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in answer
    assert b'"code":"malformed-request"' in answer


async def test_a_head_without_end_is_refused_before_memory_grows(server: HttpServer) -> None:
    answer = await raw_answer(server, b"GET / HTTP/1.1\r\nx-long: ", b"x" * 66_000)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b'"code":"head-too-large"' in answer


async def test_a_body_may_be_larger_than_a_head_even_after_its_answer(server: HttpServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n"
    for _ in range(2):
        writer.write(head)
        await reader.readuntil(b"done")
        writer.write(b"x" * 1_000_000)
        await writer.drain()
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_a_connection_that_never_sends_a_head_is_closed(app: SlowApp) -> None:
    hasty = HttpServer(app, host="127.0.0.1", port=0, port_setting="P", keep_alive_seconds=0)
    await hasty.start()
    assert await raw_answer(hasty) == b""
    await hasty.stop(1)
