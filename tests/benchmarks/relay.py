"""Relaying a backlog: batches built per partition, against plain `send` calls awaited per chunk.

A log of 60,000 events of 6,000 products, each sent to two topics. The rate is measured between two reads of
the cursor, so it counts only confirmed events. A third contender has a transaction per chunk, which fencing
by Kafka would need: docs/decisions/0003-relay-fencing.md.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from deploy.local.ports import free_port
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.processes import python, running
from tests.benchmarks.table import Contender, Table
from tests.servers import DatabaseDsns

EVENTS, PRODUCTS = 60_000, 6_000
LOOK_SECONDS = 0.02
SECONDS_MAX = 300
TARGET = 1.5
_FILL = """
    INSERT INTO catalogue.events
        (position, product_id, stream_version, event_type, schema_version, data, metadata, recorded_at)
    SELECT n, md5((n % $2)::text)::uuid, 1 + (n - 1) / $2,
        CASE WHEN n <= $2 THEN 'product-created' ELSE 'product-price-changed' END, 1,
        convert_to(format('{"sku":"OBS-%s","price":{"amount":"50.00","currency":"USD"},'
            '"previous_price":{"amount":"49.00","currency":"USD"}}', n), 'UTF8'),
        convert_to(format('{"event_id":"%s","correlation_id":"%s","traceparent":'
            '"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}',
            gen_random_uuid(), gen_random_uuid()), 'UTF8'),
        now()
    FROM generate_series(1, $1::int) AS n
"""
_CURSOR = "SELECT coalesce(max(log_position), 0) FROM catalogue.relay_cursor"


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """One table; `seconds` does not matter: the work is fixed."""

    def contender(title: str, name: str, target: float | None = None) -> Contender:
        async def measure() -> float:
            return await relay_rate(servers, name)

        return Contender(title, measure, target)

    contenders = [
        contender("plain sends, awaited per chunk", "plain"),
        contender("batches per partition (the relay)", "batches", TARGET),
        contender("batches in a transaction per chunk", "transactions"),
    ]
    return [Table("Relaying the log to Kafka, two topics per event", "events/s", contenders)]


async def relay_rate(servers: BenchServers, name: str) -> float:
    """Events per second of one relay process, from its first confirmed chunk to its last."""
    log = await servers.event_store()
    await _fill(log)
    async with _topics(servers) as prefix:
        ops_port = free_port()
        environment = {
            "EVENT_STORE_DSN": log.writer,
            "KAFKA_BOOTSTRAP_SERVERS": servers.kafka.bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": prefix,
            "RELAY_OPS_PORT": str(ops_port),
        }
        argv = python("-m", "tests.benchmarks.relay_worker", name)
        async with running(*argv, ready_url=f"http://127.0.0.1:{ops_port}/livez", environment=environment):
            return await _rate(log)


async def _fill(log: DatabaseDsns) -> None:
    connection = await asyncpg.connect(log.owner)
    try:
        await connection.execute(_FILL, EVENTS, PRODUCTS)
        await connection.execute("SELECT setval('catalogue.event_position', $1)", EVENTS)
    finally:
        await connection.close()


async def _rate(log: DatabaseDsns) -> float:
    connection = await asyncpg.connect(log.owner)
    try:
        async with asyncio.timeout(SECONDS_MAX):
            first = await _reaches(connection, 1)
            started = time.perf_counter()
            last = await _reaches(connection, EVENTS)
            return (last - first) / (time.perf_counter() - started)
    finally:
        await connection.close()


async def _reaches(connection: "asyncpg.Connection[asyncpg.Record]", wanted: int) -> int:
    while True:
        cursor = int(await connection.fetchval(_CURSOR))
        if cursor >= wanted:
            return cursor
        await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def _topics(servers: BenchServers) -> AsyncIterator[str]:
    """A prefix for one contender; its topics are deleted afterwards, so that they do not slow down the next
    one.
    """
    prefix = f"bench-{time.time_ns():x}-"
    yield prefix
    await servers.delete_topics(prefix)
