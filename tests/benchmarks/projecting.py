"""Projecting `product_view` online from Kafka, against a FastStream handler with one upsert per event.

60,000 events of 6,000 products, shuffled so that hardly any events of one product are in a batch: the worst
case. Both read the same records in a process of their own; the rate is measured between two reads of the
stored rows.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from uuid_utils.compat import uuid4, uuid7

from deploy.local.ports import free_port
from shared.contract import events as e
from shared.contract.addresses import DEFAULT_PARTITION_COUNT, partition_of, topics
from shared.contract.codec import encode_event
from shared.contract.recorded_event import EventMetadata, RecordedEvent
from shared.kafka.cloud_event import record_headers
from tests.benchmarks.bench_servers import BenchServers
from tests.benchmarks.processes import python, running
from tests.benchmarks.table import Contender, Table
from tests.servers import DatabaseDsns

PRODUCTS, VERSIONS = 6_000, 10
SINGLE_EVENTS = 4_000
SECONDS_MAX = 120
LOOK_SECONDS = 0.05
RECORDED_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SEEN_BY_VIEW = "SELECT coalesce(sum(next_offset), 0) FROM views.projection_checkpoint"
SEEN_BY_SINGLE = "SELECT coalesce(sum(stream_version), 0) FROM single_upsert"


async def tables(servers: BenchServers, seconds: float) -> list[Table]:
    """One table; `seconds` does not matter: the work is fixed."""

    async def single() -> float:
        return await single_rate(servers)

    async def ours() -> float:
        return await product_view_rate(servers)

    contenders = [
        Contender("FastStream, one message and one upsert at a time", single),
        Contender("product_view", ours, 8.0),
    ]
    return [Table("Projecting online from Kafka", "events/s", contenders)]


async def product_view_rate(servers: BenchServers) -> float:
    """`python -m projector run product_view`, from the first checkpoint to the last event."""
    view, log = await servers.read_model(), await servers.event_store()
    async with _connected(log) as connection:
        log_id = await connection.fetchval("SELECT log_id FROM catalogue.event_log")
    async with filled_topic(servers, log_id) as prefix:
        ops_port = free_port()
        environment = {
            "READ_MODEL_DSN": view.projector,
            "EVENT_STORE_READ_DSN": log.log_reader,
            "REDIS_URL": servers.redis.url(2),
            "KAFKA_BOOTSTRAP_SERVERS": servers.kafka.bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": prefix,
            "PROJECTOR_OPS_PORT": str(ops_port),
        }
        live = f"http://127.0.0.1:{ops_port}/livez"
        argv = python("-m", "projector", "run", "product_view")
        async with running(*argv, ready_url=live, environment=environment):
            rate = await _rate(view, SEEN_BY_VIEW, PRODUCTS * VERSIONS)
    await _check(view, f"SELECT count(*) FROM views.product_view WHERE stream_version = {VERSIONS}", PRODUCTS)
    return rate


async def single_rate(servers: BenchServers) -> float:
    """The handler of FastStream's documentation."""
    database = servers.empty_database()
    async with filled_topic(servers, uuid4()) as prefix, _connected(database) as connection:
        await connection.execute(
            "CREATE TABLE single_upsert (product_id uuid PRIMARY KEY, stream_version int, document bytea)"
        )
        port = free_port()
        environment = {
            "SINGLE_DSN": database.owner,
            "SINGLE_TOPIC": topics(prefix).events,
            "SINGLE_BOOTSTRAP": servers.kafka.bootstrap_servers,
            "SINGLE_PORT": str(port),
        }
        argv = python("-m", "tests.benchmarks.single_upsert_worker")
        async with running(*argv, ready_url=f"http://127.0.0.1:{port}/", environment=environment):
            return await _rate(database, SEEN_BY_SINGLE, SINGLE_EVENTS)


async def _rate(database: DatabaseDsns, seen_sql: str, wanted: int) -> float:
    """Events per second from the first look that finds any to the first that finds all."""
    async with _connected(database) as connection, asyncio.timeout(SECONDS_MAX):
        first = await _until(connection, seen_sql, lambda seen: seen > 0)
        started = time.perf_counter()
        last = await _until(connection, seen_sql, lambda seen: seen >= wanted)
        return (last - first) / (time.perf_counter() - started)


async def _until(
    connection: "asyncpg.Connection[asyncpg.Record]", seen_sql: str, is_enough: Callable[[int], bool]
) -> int:
    while True:
        seen = int(await connection.fetchval(seen_sql))
        if is_enough(seen):
            return seen
        await asyncio.sleep(LOOK_SECONDS)


async def _check(database: DatabaseDsns, sql: str, wanted: int) -> None:
    async with _connected(database) as connection:
        found = await connection.fetchval(sql)
    if found != wanted:
        raise RuntimeError(f"{found} products are complete, not {wanted}")


@asynccontextmanager
async def _connected(database: DatabaseDsns) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database.owner)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def filled_topic(servers: BenchServers, log_id: UUID) -> AsyncIterator[str]:
    """A topic with all events of one log; yields its prefix, and deletes it afterwards."""
    prefix = f"bench-{time.time_ns():x}-"
    topic = topics(prefix).events
    bootstrap = servers.kafka.bootstrap_servers
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, DEFAULT_PARTITION_COUNT, 1)])
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=256 * 1024)
        await producer.start()
        try:
            await _fill(producer, topic, str(log_id).encode())
        finally:
            await producer.stop()
        yield prefix
        await admin.delete_topics([topic])
    finally:
        await admin.close()


async def _fill(producer: AIOKafkaProducer, topic: str, log_id: bytes) -> None:
    sent: list[Awaitable[object]] = []
    for event in bench_events():
        partition = partition_of(event.product_id, DEFAULT_PARTITION_COUNT)
        headers = record_headers(event, log_id)
        key = str(event.product_id).encode()
        sent.append(await producer.send(topic, event.data, key, partition=partition, headers=headers))
    await asyncio.gather(*sent)


def bench_events() -> list[RecordedEvent]:
    """Each product is created and published, then its details and prices change in turn; the order of
    products differs in each round.
    """
    ids = [uuid7() for _ in range(PRODUCTS)]
    events: list[RecordedEvent] = []
    for version in range(1, VERSIONS + 1):
        random.shuffle(ids)
        for product_id in ids:
            stored = encode_event(make_event(version, product_id))
            metadata = EventMetadata(uuid4(), str(product_id))
            place = (len(events) + 1, product_id, version)
            events.append(RecordedEvent(*place, *stored, metadata, RECORDED_AT))
    return events


def make_event(version: int, product_id: UUID) -> e.ProductEvent:
    name = product_id.hex[-12:]
    price = e.Money("50.00", "USD")
    if version == 1:
        variants = (e.Variant(f"OBS-{name}", {"size": "M"}, price),)
        return e.ProductCreated(
            f"s-{name}", f"Shirt {name}", variants, category="apparel/shirts", tags=("men",)
        )
    if version == 2:
        return e.ProductPublished()
    if version % 3 == 0:
        return e.ProductDetailsChanged(description=f"Description number {version} " * 5)
    return e.PriceChanged(f"OBS-{name}", e.Money(f"{version}.00", "USD"), price)
