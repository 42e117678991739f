"""What the relay's integration tests share: a log to fill, topics to read, relays to start."""

import asyncio
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import asyncpg
import msgspec
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from command_api.relay.app import run_relay
from command_api.relay.settings import RelaySettings
from deploy.local.ports import free_port
from shared.contract.addresses import topics
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.cloud_event import CloudEventRecord, read_record
from tests.eventually import eventually
from tests.servers import DatabaseDsns
from tests.unit.relay.sample_events import versions_by_product, without_repeats

with warnings.catch_warnings():
    # Its import reads its schemas by a function that Python 3.11 deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import KafkaConsumer, TopicPartition

Kind = Literal["events", "created", "updated", "deleted"]
_INSERT = """
    INSERT INTO catalogue.events
        (position, product_id, stream_version, event_type, schema_version, data, metadata, recorded_at)
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::int[], $4::text[], $5::smallint[], $6::bytea[],
        $7::bytea[], $8::timestamptz[])
"""
_INDEX = """
    INSERT INTO catalogue.streams (product_id, stream_version, first_position, last_position)
    SELECT product_id, max(stream_version), min(position), max(position) FROM catalogue.events GROUP BY 1
"""
_READ_SECONDS_MAX = 60


class EventLog:
    """The log as its owner sees it: events are inserted as the append function would leave them."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    async def append(self, events: Sequence[RecordedEvent]) -> None:
        """Events with their positions; the sequence follows."""
        encode = msgspec.json.encode
        columns: list[list[object]] = [[], [], [], [], [], [], [], []]
        for event in events:
            row = (
                event.log_position, event.product_id, event.stream_version, event.event_type,
                event.schema_version, event.data, encode(event.metadata), event.recorded_at,
            )  # fmt: skip
            for column, value in zip(columns, row, strict=True):
                column.append(value)
        async with self.connection.transaction():
            await self.connection.execute("SELECT pg_advisory_xact_lock(7281044, 1)")
            await self.connection.execute(_INSERT, *columns)
            await self.connection.execute(
                "SELECT setval('catalogue.event_position', $1)", events[-1].log_position
            )

    async def index_products(self) -> None:
        """The stream rows, as the append function would have left them."""
        await self.connection.execute(_INDEX)

    async def spoil_metadata(self, log_position: int) -> None:
        """Only the owner of the table can do this, and no code of ours does."""
        await self.connection.execute(
            "UPDATE catalogue.events SET metadata = 'broken' WHERE position = $1", log_position
        )

    async def set_cursor(self, log_position: int) -> None:
        """As a relay that has published so far."""
        await self.connection.execute(
            "INSERT INTO catalogue.relay_cursor (relay, log_position) VALUES ('kafka', $1)", log_position
        )

    async def cursor(self) -> int:
        return int(
            await self.connection.fetchval("SELECT max(log_position) FROM catalogue.relay_cursor") or 0
        )

    async def cursor_reaches(self, log_position: int, *, seconds_max: float = 60.0) -> None:
        """At least that far."""

        async def reached() -> None:
            assert await self.cursor() >= log_position

        await eventually(reached, seconds_max)


@asynccontextmanager
async def event_log(dsns: DatabaseDsns) -> AsyncIterator[EventLog]:
    connection = await asyncpg.connect(dsns.owner)
    try:
        yield EventLog(connection)
    finally:
        await connection.close()


async def sever(server: Any, dsns: DatabaseDsns, application_name: str) -> None:
    """Ends the sessions of that name, as a fail-over or a cut cable would; waits until there is one."""
    variables = {"database": dsns.name, "name": application_name}
    statement = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = :'database' AND application_name = :'name'"
    )

    async def ended() -> None:
        assert "t" in await asyncio.to_thread(server.run_sql, statement, variables=variables)

    await eventually(ended)


def _read_blocking(bootstrap_servers: str, topic: str, isolation_level: str) -> list[Any]:
    """All records of a topic, partition by partition, by a client that is not ours."""
    deadline = time.monotonic() + _READ_SECONDS_MAX
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap_servers, enable_auto_commit=False, isolation_level=isolation_level
    )
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        ends = consumer.end_offsets(partitions)
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        left = {partition for partition, end in ends.items() if end > 0}
        records = []
        while left:
            assert time.monotonic() < deadline, f"not read to their ends in {_READ_SECONDS_MAX} s: {left}"
            polled = consumer.poll(timeout_ms=1000, max_records=10_000)
            records += [record for batch in polled.values() for record in batch]
            left = {partition for partition in left if consumer.position(partition) < ends[partition]}
        return sorted(records, key=lambda record: (record.partition, record.offset))
    finally:
        consumer.close()


async def read_raw(
    bootstrap_servers: str, topic: str, isolation_level: str = "read_uncommitted"
) -> list[Any]:
    """Every record of any topic as the other client gives it, in partition and offset order."""
    return await asyncio.to_thread(_read_blocking, bootstrap_servers, topic, isolation_level)


async def read_records(bootstrap_servers: str, prefix: str, kind: Kind = "events") -> list[CloudEventRecord]:
    """Every record of one of our topics, in partition and offset order."""
    raw = await read_raw(bootstrap_servers, getattr(topics(prefix), kind))
    return [read_record(record.key, record.value, record.headers) for record in raw]


async def read_events(bootstrap_servers: str, prefix: str, kind: Kind = "events") -> list[RecordedEvent]:
    return [record.event for record in await read_records(bootstrap_servers, prefix, kind)]


def assert_complete_in_order(found: Sequence[RecordedEvent], expected: Sequence[RecordedEvent]) -> int:
    """Per product, first occurrences are 1, 2, 3 … to the end; answers how many records were repeats."""
    versions = versions_by_product(found)
    kept = {product: without_repeats(seen) for product, seen in versions.items()}
    assert kept == versions_by_product(expected)
    return sum(map(len, versions.values())) - sum(map(len, kept.values()))


def relay_settings(dsns: DatabaseDsns, bootstrap_servers: str, prefix: str, **others: Any) -> RelaySettings:
    """Quick to notice and to retry, so that tests need not wait."""
    values: dict[str, Any] = {
        "event_store_dsn": dsns.writer,
        "kafka_bootstrap_servers": bootstrap_servers, "kafka_topic_prefix": prefix,
        "relay_ops_port": free_port(), "relay_lock_wait_seconds": 0.05, "relay_retry_seconds_max": 0.2,
        "relay_operator_wait_seconds": 0.2, "relay_send_seconds_max": 5.0, "relay_start_seconds_max": 5.0,
        "relay_chunk_events_max": 100, "relay_report_interval_seconds": 0.05,
    }  # fmt: skip
    return RelaySettings(_env_file=None, **(values | others))


@asynccontextmanager
async def relaying(settings: RelaySettings) -> AsyncIterator[None]:
    """A relay in this process, stopped in order at the end."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_relay(stop, settings))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(30):
            await task


class Answer:
    """Of the operations port."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.text = text


async def get(port: int, path: str) -> Answer:
    """Raises AssertionError while nobody listens, for `eventually`."""

    def fetch() -> Answer:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return Answer(answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read().decode())
        except OSError as error:
            raise AssertionError(f"nobody answers on port {port}") from error

    return await asyncio.to_thread(fetch)


async def describe(bootstrap_servers: str, topic: str) -> tuple[int, dict[str, str]]:
    """Partition count and configs."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        described: Any = await admin.describe_topics(None)
        counts = {entry["topic"]: len(entry["partitions"]) for entry in described}
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        entries = answers[0].resources[0][4]
        return counts[topic], {entry[0]: entry[1] for entry in entries}
    finally:
        await admin.close()
