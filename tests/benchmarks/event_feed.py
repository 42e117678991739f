"""The feed of events: from the commit of an event to its receipt, for one client and for thousands.

Server on core 0, clients and appends on core 1. The clients are bare connections of this process: what they
take is in the figures, too.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import quantiles
from typing import NamedTuple

import asyncpg

from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.process_usage import own_seconds
from tests.benchmarks.query_process import HOST, QueryProcess, serving
from tests.benchmarks.runs import Runs
from tests.benchmarks.table import Contender, Table
from tests.integration.event_store_world import insert_events
from tests.past_events import created, past_events

MANY_CLIENTS = 2000
# Together with the poll of the log this is what a client of a quiet catalogue sees.
_EVENT_SECONDS = 0.15
_CONNECTING_MAX = 50
_RECEIPT_SECONDS_MAX = 30.0


class Delivered(NamedTuple):
    """One run."""

    p50_milliseconds: float
    p99_milliseconds: float
    processor_microseconds: float


class _Client(asyncio.Protocol):
    """Notes when each event comes; `received` has the seconds of the monotonic clock by position."""

    def __init__(self) -> None:
        self.received: dict[int, float] = {}
        self.has_begun = asyncio.Event()
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"GET /v1/events/stream HTTP/1.1\r\nhost: localhost\r\n\r\n")

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self.has_begun.set()
        data = self._rest + data
        *whole, self._rest = data.split(b"\n\n")
        for block in whole:
            place = block.find(b"id: ")
            if b"\ndata: " in block and place >= 0:
                self.received[int(block[place + 4 : block.index(b"\n", place)])] = now


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """One table; the first row is the yardstick."""
    one = Runs(lambda: delivered(servers, 1, seconds))
    many = Runs(lambda: delivered(servers, MANY_CLIENTS, seconds))

    def below() -> list[str]:
        return [
            f"Processor time of the query API for each delivered event, {name}: "
            + ", ".join(f"{run.processor_microseconds:,.0f} µs" for run in runs.made)
            for name, runs in (("1 client", one), (f"{MANY_CLIENTS:,} clients", many))
        ]

    contenders = [
        Contender("1 client, p99", one.figure(lambda run: run.p99_milliseconds)),
        Contender("1 client, p50", one.figure(lambda run: run.p50_milliseconds)),
        Contender(f"{MANY_CLIENTS:,} clients, p99", many.figure(lambda run: run.p99_milliseconds), 10),
        Contender(f"{MANY_CLIENTS:,} clients, p50", many.figure(lambda run: run.p50_milliseconds)),
    ]
    title = "The feed, from the commit of an event to its receipt"
    return [Table(title, "ms", contenders, lower_is_better=True, below=below)]


async def delivered(servers: BenchServers, client_count: int, seconds: float) -> Delivered:
    """Events one after the other to so many clients."""
    store = await servers.event_store()
    settings = {"EVENT_STORE_READ_DSN": store.log_reader}
    async with serving(await servers.read_model(), servers.redis.url(0), settings) as process:
        log = await asyncpg.connect(store.owner)
        try:
            async with _clients(process, client_count) as clients:
                return await _measured(process, log, clients, max(20, round(seconds / _EVENT_SECONDS)))
        finally:
            await log.close()


@asynccontextmanager
async def _clients(process: QueryProcess, count: int) -> AsyncIterator[list[_Client]]:
    loop = asyncio.get_running_loop()
    places = asyncio.Semaphore(_CONNECTING_MAX)

    async def connect() -> _Client:
        async with places:
            _, client = await loop.create_connection(_Client, HOST, process.port)
            await client.has_begun.wait()
            return client

    clients = await asyncio.gather(*(connect() for _ in range(count)))
    try:
        yield clients
    finally:
        for client in clients:
            client.transport.abort()


async def _measured(
    process: QueryProcess,
    log: "asyncpg.Connection[asyncpg.Record]",
    clients: list[_Client],
    events_count: int,
) -> Delivered:
    committed: dict[int, float] = {}
    before = own_seconds(process.pid)
    for _ in range(events_count):
        events = past_events(created())
        await insert_events(log, events)
        committed[events[0].log_position] = time.monotonic()
        await asyncio.sleep(_EVENT_SECONDS * random.uniform(0.5, 1.5))
    async with asyncio.timeout(_RECEIPT_SECONDS_MAX):
        while any(len(client.received) < events_count for client in clients):
            await asyncio.sleep(0.1)
    spent = own_seconds(process.pid) - before
    late = [
        1000 * (client.received[position] - at) for client in clients for position, at in committed.items()
    ]
    cuts = quantiles(late, n=100, method="inclusive")
    return Delivered(cuts[49], cuts[98], 1e6 * spent / (events_count * len(clients)))
