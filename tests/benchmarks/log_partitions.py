"""What the number of partitions of the log costs a load and an append, and how many bytes an event takes.

The plan of a load is kept (functions/load_streams.sql): planned anew, it would cost time for each partition.
"""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from statistics import median

import asyncpg

from command_api.executing.ports import Append
from command_api.postgres.event_store import PostgresEventStore
from tests.benchmarks.append import worker
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.table import Contender, Table
from tests.integration.event_store_world import open_store
from tests.unit.execute.appends import change, creation

_PARTITIONS = (3, 30, 300)
_CALLS = 300
_MILLISECONDS = 1000
_BYTES = {
    "rows of the log": "SELECT sum(pg_table_size(relid)) FROM pg_partition_tree('catalogue.events')",
    "indexes of the log": "SELECT sum(pg_indexes_size(relid)) FROM pg_partition_tree('catalogue.events')",
    "streams, reservations": "SELECT pg_total_relation_size('catalogue.streams')"
    " + pg_total_relation_size('catalogue.reservations')",
    "answers to keys (24 hours)": "SELECT pg_total_relation_size('catalogue.idempotency_keys')",
    "write-ahead log": "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')",
}


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """Loads, appends, bytes."""
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
    return [*times, Table("What an event takes", "bytes", sizes, lower_is_better=True)]


async def _load(store: PostgresEventStore, product: Append) -> None:
    await store.load(product.product_id)


async def _append(store: PostgresEventStore, product: Append) -> None:
    await store.append(change(product.product_id, await store.load(product.product_id)))


async def _time(
    servers: BenchServers, partitions: int, call: Callable[[PostgresEventStore, Append], Awaitable[None]]
) -> float:
    """The median of one idle client."""
    dsns = await servers.event_store()
    owner = await asyncpg.connect(dsns.owner)
    await owner.execute("UPDATE catalogue.event_log SET partition_positions = 1000000")
    await owner.execute("SELECT catalogue.ensure_partitions($1)", partitions - 1)
    await owner.close()
    store = await open_store(dsns.writer)
    try:
        product = creation("one")
        await store.append(product)
        taken = []
        for _ in range(_CALLS):
            began = time.perf_counter()
            await call(store, product)
            taken.append(time.perf_counter() - began)
        return median(taken) * _MILLISECONDS
    finally:
        await store.close()


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
