"""What bounds searches in OpenSearch: turns, and a breaker; no server is needed for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from structlog.testing import capture_logs

from deploy.local.ports import HOST, free_port
from query_api.errors import Overloaded, SearchEngineFailed
from query_api.search.opensearch.searches import Searches
from shared.ops.breaker import CircuitBreaker
from shared.ops.secret import Secret
from shared.search.opensearch.address import SearchAddress
from shared.search.opensearch.client import OpenSearchClient

_SECONDS_MAX = 60.0
FAILURES_MAX = 5


@asynccontextmanager
async def searches_at(port: int, *, open_seconds: float = 1.0) -> AsyncIterator[Searches]:
    """One at a time, and one that waits."""
    address = SearchAddress(Secret(f"http://{HOST}:{port}"))
    async with OpenSearchClient(
        address, connections_max=2, seconds_max=_SECONDS_MAX, connect_seconds_max=_SECONDS_MAX
    ) as client:
        yield Searches(
            client,
            "products",
            searches_max=1,
            waiting_max=1,
            seconds_max=_SECONDS_MAX,
            breaker=CircuitBreaker(failures_max=FAILURES_MAX, open_seconds=open_seconds),
        )


@asynccontextmanager
async def slow_server() -> AsyncIterator[tuple[int, asyncio.Semaphore, asyncio.Semaphore]]:
    """Its port; what tells of each request, and what lets it answer."""
    asked, answers, left = (asyncio.Semaphore(0) for _ in range(3))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"{}"):
            asked.release()
            await answers.acquire()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()
        await writer.wait_closed()
        left.release()

    async with await asyncio.start_server(accept, HOST, 0) as server:
        yield server.sockets[0].getsockname()[1], asked, answers
    await left.acquire()


async def search(searches: Searches) -> None:
    async with searches.turn():
        await searches.ask({})


async def test_too_many_searches_are_refused_until_one_ends() -> None:
    async with slow_server() as (port, asked, answers), searches_at(port) as searches:
        first, second = asyncio.create_task(search(searches)), asyncio.create_task(search(searches))
        await asked.acquire()
        with pytest.raises(Overloaded):
            await search(searches)
        answers.release()
        await first
        third = asyncio.create_task(search(searches))
        answers.release()
        answers.release()
        await asyncio.gather(second, third)


async def test_after_failures_in_a_row_nobody_waits_for_the_dead_server() -> None:
    async with searches_at(free_port()) as searches:
        told = set()
        with capture_logs() as lines:
            for _ in range(FAILURES_MAX + 3):
                with pytest.raises(SearchEngineFailed, match="OpenSearch: Connect") as refused:
                    await search(searches)
                told.add(str(refused.value))
    assert len(lines) == FAILURES_MAX
    assert len(told) == 1, "another text would be logged by readiness each time that the breaker opens"


async def test_a_wrong_password_is_not_tried_for_each_search() -> None:
    tries = 0

    async def deny(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        with suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"{}"):
                tries += 1
                writer.write(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async with (
        await asyncio.start_server(deny, HOST, 0) as server,
        searches_at(server.sockets[0].getsockname()[1], open_seconds=1_000.0) as searches,
    ):
        with capture_logs() as lines:
            for _ in range(20):
                with pytest.raises(SearchEngineFailed, match="401: user or password is wrong"):
                    await search(searches)
    assert tries == FAILURES_MAX
    assert [line["reason"] for line in lines] == ["401: user or password is wrong"] * FAILURES_MAX
