"""One log against two, for decision 32: appends on two servers at once, processor time of the server, and
what the calls of the reservation protocol cost a creation. All of it shares the processors of one machine.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from statistics import median
from uuid import UUID, uuid4

import psutil

from command_api.postgres.migrate import migrate_event_store
from deploy.local.postgres import PostgresServer
from tests.benchmarks.append import worker
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.table import Contender, Table
from tests.databases import create_database
from tests.servers import POSTGRES, DatabaseDsns, SessionServers
from tests.sharding import operations as o
from tests.sharding.commands import Command
from tests.sharding.faults import Faults
from tests.sharding.postgres.shards import PostgresShards, prepare_shard
from tests.sharding.protocol import client

_MICROSECONDS, _MILLISECONDS = 1_000_000, 1000
CREATIONS = 300
_numbers = itertools.count(1)


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """Throughput, the server's share of it, and a creation."""
    one = partial(one_log, servers, seconds)
    throughput = Table(
        "Append, one log and two, 64 clients in all",
        "commands/s",
        [
            Contender("one server, 1 process x 64 clients", partial(one, [64])),
            Contender("one server, 2 processes x 32 clients", partial(one, [32, 32])),
            Contender("two servers, 1 process x 32 clients each", partial(two_logs, servers, seconds)),
        ],
    )
    share = Table(
        "Processor time of the server",
        "µs a command",
        [
            Contender("1 process x 64 clients", partial(server_time, servers, seconds, [64])),
            Contender("2 processes x 32 clients", partial(server_time, servers, seconds, [32, 32])),
        ],
        lower_is_better=True,
    )
    creation = Table(
        "A creation with a slug and a SKU, one idle client",
        "ms",
        [
            Contender("the append alone: one call", partial(creation_time, servers, _append_alone)),
            Contender("two shards, until the answer", partial(creation_time, servers, _until_the_answer)),
            Contender("two shards, until all is settled", partial(creation_time, servers, _until_all)),
        ],
        lower_is_better=True,
    )
    return [throughput, share, creation]


async def one_log(servers: BenchServers, seconds: float, clients: list[int]) -> float:
    """Commands per second on one server."""
    dsns = await servers.event_store()
    results = await asyncio.gather(*(worker("append_worker", dsns.writer, each, seconds) for each in clients))
    return sum(result["rate"] for result in results)


async def two_logs(servers: BenchServers, seconds: float) -> float:
    """Commands per second of two servers, 32 clients each, at the same time."""
    first = await servers.event_store()
    async with _second_log() as (second, _):
        results = await asyncio.gather(
            *(worker("append_worker", dsns.writer, 32, seconds) for dsns in (first, second))
        )
    return sum(result["rate"] for result in results)


async def server_time(servers: BenchServers, seconds: float, clients: list[int]) -> float:
    """Microseconds of all processes of the server for each command, the warm-up included."""
    async with _second_log() as (dsns, server):
        before = _processor_seconds(server)
        results = await asyncio.gather(
            *(worker("append_worker", dsns.writer, each, seconds) for each in clients)
        )
        spent = _processor_seconds(server) - before
    return spent / sum(result["commands"] for result in results) * _MICROSECONDS


async def creation_time(
    servers: BenchServers, take: Callable[[PostgresShards, Command], Awaitable[float]]
) -> float:
    """The median of some creations, whose names and products are on either shard."""
    first = await servers.event_store()
    async with _second_log() as (second, _):
        for dsns in (first, second):
            await prepare_shard(dsns.owner)
        shards = PostgresShards([first, second])
        try:
            return median([await take(shards, _creation(number)) for number in range(CREATIONS)])
        finally:
            await shards.close()


def _creation(number: int) -> Command:
    key, home = f"key-{number}", o.shard_of_text(f"key-{number}")
    ids = (UUID(int=uuid4().int) for _ in itertools.count())
    product_id = next(each for each in ids if o.shard_of_product(each) == home)
    return Command(key, "create", (product_id,), (f"s:slug-{number}", f"k:sku-{number}"))


async def _append_alone(shards: PostgresShards, command: Command) -> float:
    event = o.Event("create", command.names, (), "", command.key)
    began = time.perf_counter()
    await shards.execute(o.Append(command.product_ids[0], 0, (event,), command.key, None, 0))
    return (time.perf_counter() - began) * _MILLISECONDS


async def _until_the_answer(shards: PostgresShards, command: Command) -> float:
    return (await _send(shards, command))[0]


async def _until_all(shards: PostgresShards, command: Command) -> float:
    return (await _send(shards, command))[1]


async def _send(shards: PostgresShards, command: Command) -> tuple[float, float]:
    """Milliseconds until the answer, and until the end. Each call waits for the one before."""
    process, result, answered = client(command, Faults.NONE), None, 0.0
    began = time.perf_counter()
    while True:
        try:
            operation = process.send(result)
        except StopIteration:
            return answered, (time.perf_counter() - began) * _MILLISECONDS
        result = None
        if not isinstance(operation, o.Answered):
            result = await shards.execute(operation)
        elif operation.answer == "done":
            answered = (time.perf_counter() - began) * _MILLISECONDS


@asynccontextmanager
async def _second_log() -> AsyncIterator[tuple[DatabaseDsns, PostgresServer]]:
    servers = SessionServers()
    try:
        server = servers.get(POSTGRES)
        assert isinstance(server, PostgresServer)
        dsns = create_database(server, f"second_{next(_numbers)}", "template1")
        await migrate_event_store(dsns.owner)
        server.run_sql("CHECKPOINT")
        yield dsns, server
    finally:
        servers.close()


def _processor_seconds(server: PostgresServer) -> float:
    """Of the server process, of those of its sessions that live, and of those that have ended."""
    assert server.pid is not None
    postmaster = psutil.Process(server.pid)
    spent = 0.0
    for process in [postmaster, *postmaster.children(recursive=True)]:
        times = process.cpu_times()
        spent += times.user + times.system + times.children_user + times.children_system
    return spent
