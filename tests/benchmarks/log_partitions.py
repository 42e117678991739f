"""What the number of partitions of the log costs reads and an append, and how many bytes an event takes.

The plans of the reads are kept (functions/load_streams.sql, functions/events_after.sql): planned anew, as the
former statements were, they cost time for each partition.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from statistics import median
from typing import NamedTuple
from uuid import UUID

import asyncpg

from command_api.executing.ports import Append
from command_api.postgres.event_store import PostgresEventStore
from shared.postgres.sql import load_sql
from tests.benchmarks.append import worker
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.former_reads import FORMER_EVENTS_AFTER, FORMER_LOAD
from tests.benchmarks.table import Contender, Table
from tests.integration.event_store_world import open_store
from tests.servers import DatabaseDsns
from tests.unit.execute.appends import change, creation

_PARTITIONS = (3, 30, 300)
_CALLS = 300
_MILLISECONDS = 1000
_WARM_UPS, _PRODUCTS = 10, 200
_BYTES = {
    "rows of the log": "SELECT sum(pg_table_size(relid)) FROM pg_partition_tree('catalogue.events')",
    "indexes of the log": "SELECT sum(pg_indexes_size(relid)) FROM pg_partition_tree('catalogue.events')",
    "streams, reservations": "SELECT pg_total_relation_size('catalogue.streams')"
    " + pg_total_relation_size('catalogue.reservations')",
    "answers to keys (24 hours)": "SELECT pg_total_relation_size('catalogue.idempotency_keys')",
    "write-ahead log": "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')",
}


class Read(NamedTuple):
    """A statement, alone, as its role reads `products` products."""

    sql: str
    role: str
    arguments: tuple[object, ...]
    products: int = 1


def _reads(products: int) -> dict[str, tuple[Read, Read]]:
    """Title -> as it was, and as it is. The products are the first argument."""
    zeros = [0] * products
    name = "a product" if products == 1 else f"{products} products"
    return {
        f"The load of {name}: the statement alone": (
            Read(FORMER_LOAD, "writer", (zeros, zeros), products),
            Read(load_sql("command_api.postgres", "load_streams"), "writer", (zeros, zeros), products),
        ),
        f"What a projector lacks of {name}: the statement alone": (
            Read(FORMER_EVENTS_AFTER, "log_reader", (zeros,), products),
            Read(load_sql("projector.applying", "select_events_after"), "log_reader", (zeros,), products),
        ),
    }


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """Statements, loads, appends, bytes."""
    statements = [
        Table(
            title,
            "ms",
            [
                Contender(f"{count} partitions, {how}", partial(_read, servers, count, read))
                for count in _PARTITIONS
                for how, read in zip(("planned at each call", "with a kept plan"), pair, strict=True)
            ],
            lower_is_better=True,
        )
        for title, pair in (_reads(1) | _reads(_PRODUCTS)).items()
    ]
    times = [
        Table(
            title,
            "ms",
            [Contender(f"{count} partitions", partial(_time, servers, count, call)) for count in _PARTITIONS],
            lower_is_better=True,
        )
        for title, call in (("A load of a product", _load), ("An append of one event", _append))
    ]
    found: dict[str, float] = {}
    sizes = [Contender(name, partial(_bytes, servers, seconds, name, found)) for name in _BYTES]
    return [*statements, *times, Table("What an event takes", "bytes", sizes, lower_is_better=True)]


async def _load(store: PostgresEventStore, product: Append) -> None:
    await store.load(product.product_id)


async def _append(store: PostgresEventStore, product: Append) -> None:
    await store.append(change(product.product_id, await store.load(product.product_id)))


async def _time(
    servers: BenchServers, partitions: int, call: Callable[[PostgresEventStore, Append], Awaitable[None]]
) -> float:
    """The median of one idle client."""
    async with _log(servers, partitions) as (_, store):
        product = creation("one")
        await store.append(product)
        return await _median(partial(call, store, product))


async def _read(servers: BenchServers, partitions: int, read: Read) -> float:
    """The same, after PostgreSQL has chosen how it plans the statement."""
    async with _log(servers, partitions) as (dsns, store):
        product_ids: list[UUID] = []
        for number in range(read.products):
            product = creation(f"product{number}")
            await store.append(product)
            product_ids.append(product.product_id)
        connection = await asyncpg.connect(getattr(dsns, read.role))

        async def call() -> None:
            rows = await connection.fetch(read.sql, product_ids, *read.arguments)
            assert len(rows) == read.products

        for _ in range(_WARM_UPS):
            await call()
        try:
            return await _median(call)
        finally:
            await connection.close()


@asynccontextmanager
async def _log(
    servers: BenchServers, partitions: int
) -> AsyncIterator[tuple[DatabaseDsns, PostgresEventStore]]:
    dsns = await servers.event_store()
    owner = await asyncpg.connect(dsns.owner)
    await owner.execute("UPDATE catalogue.event_log SET partition_positions = 1000000")
    await owner.execute("SELECT catalogue.ensure_partitions($1)", partitions - 1)
    await owner.close()
    store = await open_store(dsns.writer)
    try:
        yield dsns, store
    finally:
        await store.close()


async def _median(call: Callable[[], Awaitable[None]]) -> float:
    """Milliseconds."""
    taken = []
    for _ in range(_CALLS):
        began = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - began)
    return median(taken) * _MILLISECONDS


async def _bytes(servers: BenchServers, seconds: float, name: str, found: dict[str, float]) -> float:
    """Of commands of which one in five creates a product, each with a key."""
    if not found:
        dsns = await servers.event_store()
        owner = await asyncpg.connect(dsns.owner)
        before = {name: float(await owner.fetchval(sql)) for name, sql in _BYTES.items()}
        await worker("append_worker", dsns.writer, 64, seconds)
        events = await owner.fetchval("SELECT count(*) FROM catalogue.events")
        for each, sql in _BYTES.items():
            found[each] = (float(await owner.fetchval(sql)) - before[each]) / events
        await owner.close()
    return found[name]
