"""The relay's real adapters pass the suites of its ports, and what only real servers can show."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from prometheus_client import REGISTRY

from command_api.postgres.maintenance import LogPartitions
from command_api.relay.kafka.publisher import KafkaPublisher, PublisherSettings
from command_api.relay.ports import LogTail, LogUnavailable, Publisher, PublishFailed
from command_api.relay.postgres.log_tail import PostgresLogTail, TailLimits, read_lag
from deploy.local.kafka import KafkaServer
from deploy.local.ports import free_port
from deploy.local.postgres import PostgresServer
from shared.contract.addresses import topics
from shared.contract.recorded_event import RecordedEvent
from shared.kafka.servers import KafkaServers
from shared.kafka.topics import TopicSpec, ensure_topics
from shared.postgres.pool import create_pool
from tests.eventually import eventually
from tests.integration.relay_world import EventLog, event_log, read_events, read_records, sever
from tests.servers import DatabaseDsns
from tests.unit.relay.in_memory import LOG_ID
from tests.unit.relay.sample_events import sample_events, versions_by_product
from tests.unit.relay.suites import CHUNK_EVENTS_MAX, LogTailSuite, PublisherSuite

pytestmark = pytest.mark.servers
Pool = asyncpg.Pool
LIMITS = TailLimits(CHUNK_EVENTS_MAX, 1_000_000, 5.0)


class _Log:
    def __init__(self, server: PostgresServer, dsns: DatabaseDsns, owner: EventLog) -> None:
        self._server = server
        self._owner = owner
        self.dsns = dsns

    async def append(self, events: Sequence[RecordedEvent]) -> None:
        await self._owner.append(events)

    async def spoil_metadata(self, log_position: int) -> None:
        await self._owner.spoil_metadata(log_position)

    async def open(self, limits: TailLimits = LIMITS) -> LogTail:
        return await PostgresLogTail.open(self.dsns.writer, limits)

    async def sever_lock_holder(self) -> None:
        await sever(self._server, self.dsns, "catalogue-relay")


@pytest.fixture
async def log(postgres_server: PostgresServer, event_store_dsns: DatabaseDsns) -> AsyncIterator[_Log]:
    async with event_log(event_store_dsns) as owner:
        yield _Log(postgres_server, event_store_dsns, owner)


@pytest.fixture
async def pool(log: _Log) -> AsyncIterator[Pool]:
    opened = await create_pool(
        log.dsns.writer,
        application_name="test",
        size_max=1,
        statement_timeout_seconds=5,
        connect_timeout_seconds=5,
    )
    yield opened
    await opened.close()


class TestPostgresLogTail(LogTailSuite):
    async def test_a_chunk_ends_with_the_event_that_fills_its_bytes(self, log: _Log) -> None:
        events = sample_events(4, data=b"x" * 1000)
        await log.append(events)
        tail = await log.open(TailLimits(CHUNK_EVENTS_MAX, 1500, 5.0))
        assert list(await tail.read_after(0)) == events[:2]
        await tail.close()

    async def test_an_event_larger_than_a_chunk_comes_alone(self, log: _Log) -> None:
        events = sample_events(2, data=b"x" * 1000)
        await log.append(events)
        tail = await log.open(TailLimits(CHUNK_EVENTS_MAX, 1, 5.0))
        assert list(await tail.read_after(0)) == events[:1]
        await tail.close()

    async def test_the_log_id_is_the_event_stores_own(self, log: _Log) -> None:
        tail = await log.open()
        stored = await log._owner.connection.fetchval("SELECT log_id FROM catalogue.event_log")
        assert tail.log_id == str(stored).encode()
        await tail.close()

    async def test_a_statement_right_after_one_that_the_servers_end_cut_short_is_unavailable_too(
        self, log: _Log
    ) -> None:
        tail = await log.open()
        async with log._owner.connection.transaction():
            await log._owner.connection.execute("LOCK TABLE catalogue.events IN ACCESS EXCLUSIVE MODE")
            reading = asyncio.create_task(tail.read_after(0))  # type: ignore[arg-type]
            moving = asyncio.create_task(tail.move_cursor(0, 1))  # type: ignore[arg-type]
            await eventually(lambda: _is_waiting(log._owner))
            await log.sever_lock_holder()
            outcomes = await asyncio.gather(reading, moving, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [LogUnavailable, LogUnavailable]
        await tail.close()

    async def test_a_statement_between_the_servers_last_word_and_its_hanging_up_is_unavailable(
        self, log: _Log
    ) -> None:
        async with _never_hangs_up(log.dsns.writer) as (dsn, last_word):
            tail = await PostgresLogTail.open(dsn, LIMITS)
            last_word.clear()
            await log.sever_lock_holder()
            async with asyncio.timeout(60):
                await last_word.wait()
            with pytest.raises(LogUnavailable):
                await tail.read_after(0)
            await tail.close()

    async def test_a_server_that_is_away_is_unavailable_and_no_bug(self) -> None:
        with pytest.raises(LogUnavailable):
            await PostgresLogTail.open(f"postgresql://nobody@127.0.0.1:{free_port()}/nowhere", LIMITS)

    async def test_the_lag_is_what_lies_behind_the_cursor(self, log: _Log, pool: Pool) -> None:
        assert await read_lag(pool) == (0, 0, 0.0)
        await log.append(sample_events(6))
        tail = await log.open()
        await tail.move_cursor(0, 4)
        position, events, seconds = await read_lag(pool)
        assert (position, events) == (4, 2)
        assert seconds > 0
        await tail.move_cursor(4, 6)
        assert await read_lag(pool) == (6, 0, 0.0)
        await tail.close()

    async def test_partitions_stand_ahead_after_the_upkeep(self, log: _Log, pool: Pool) -> None:
        await log._owner.connection.execute("SELECT setval('catalogue.event_position', 10000001)")
        partitions = LogPartitions(pool, 2, 60)
        await partitions.upkeep.turn()
        await partitions.count()
        await partitions.check()
        assert REGISTRY.get_sample_value("event_partitions_ahead") == 2
        assert REGISTRY.get_sample_value("event_positions_left") == 40_000_000 - 10_000_001 - 1

    async def test_every_statement_fits_the_schema(self, log: _Log) -> None:
        import command_api.relay.postgres as package

        files = sorted(Path(package.__path__[0]).glob("*.sql"))
        assert len(files) == 8
        for file in files:
            await log._owner.connection.prepare(file.read_text())


@asynccontextmanager
async def _never_hangs_up(dsn: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A proxy that passes on what the server says, but not that it hung up; the event: it spoke."""
    server_address, said = urlsplit(dsn), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = await asyncio.open_connection(server_address.hostname, server_address.port)
        asking = asyncio.create_task(_pass_on(reader, upstream[1]))
        await _pass_on(upstream[0], writer, said)
        await asking
        for ended in (writer, upstream[1]):
            ended.close()

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = f"{server_address.username}:{server_address.password}@127.0.0.1"
    port = proxy.sockets[0].getsockname()[1]
    try:
        yield f"postgresql://{address}:{port}{server_address.path}", said
    finally:
        proxy.close()
        await proxy.wait_closed()


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passed: asyncio.Event | None = None
) -> None:
    """Until the reader's end; a writer whose other side is gone takes no more."""
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
            if passed is not None:
                passed.set()


async def _is_waiting(owner: EventLog) -> None:
    """For a lock; asked on the connection that holds it."""
    statement = "SELECT count(*) FROM pg_locks WHERE relation = 'catalogue.events'::regclass AND NOT granted"
    assert await owner.connection.fetchval(statement) == 1


class _Kafka:
    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self.bootstrap_servers = bootstrap_servers
        self.prefix = prefix
        self.names = topics(prefix)

    def publisher(self, bootstrap_servers: str | None = None, send_seconds_max: float = 10.0) -> Publisher:
        settings = PublisherSettings(
            servers=KafkaServers(bootstrap_servers or self.bootstrap_servers),
            topics=[TopicSpec(name, 12) for name in self.names],
            topics_of=lambda kind: (self.names.events, self.names.by_kind(kind)),
            partition_count=12,
            start_seconds_max=10.0,
            send_seconds_max=send_seconds_max,
            stop_seconds_max=2.0,
        )
        return KafkaPublisher(settings, LOG_ID)

    async def spoil_topics(self) -> None:
        await ensure_topics(KafkaServers(self.bootstrap_servers), [TopicSpec(self.names.events, 3)])

    def away(self) -> Publisher:
        return self.publisher(f"127.0.0.1:{free_port()}")

    async def read(self, kind: str) -> list[RecordedEvent]:
        return await read_events(self.bootstrap_servers, self.prefix, kind)  # type: ignore[arg-type]


@pytest.fixture
def kafka(kafka_bootstrap_servers: str, kafka_prefix: str) -> _Kafka:
    return _Kafka(kafka_bootstrap_servers, kafka_prefix)


class TestKafkaPublisher(PublisherSuite):
    async def test_a_record_carries_the_event_and_the_log_it_is_from(self, kafka: _Kafka) -> None:
        events = sample_events(1)
        publisher = kafka.publisher()
        await publisher.start()
        await publisher.publish(publisher.prepare(events))
        await publisher.stop()
        (record,) = await read_records(kafka.bootstrap_servers, kafka.prefix)
        assert record.event == events[0]
        assert str(record.log_id).encode() == LOG_ID
        assert not record.is_replay

    async def test_several_batches_for_one_partition_arrive_in_order(self, kafka: _Kafka) -> None:
        events = sample_events(12, products=1, data=b"x" * 200_000)
        publisher = kafka.publisher()
        await publisher.start()
        assert await publisher.publish(publisher.prepare(events)) == (12, None)
        await publisher.stop()
        assert versions_by_product(await kafka.read("events")) == versions_by_product(events)

    async def test_a_send_that_gets_stuck_is_given_up_and_its_producer_sends_nothing_later(
        self, kafka: _Kafka, kafka_server: KafkaServer
    ) -> None:
        tasks_before = asyncio.all_tasks()
        publisher = kafka.publisher(send_seconds_max=3.0)
        await publisher.start()
        assert await publisher.publish(publisher.prepare(sample_events(1, products=1))) == (1, None)
        await asyncio.to_thread(kafka_server.stop)
        published = await publisher.publish(publisher.prepare(sample_events(5, products=1, first_position=2)))
        assert published.confirmed_events == 0
        assert isinstance(published.failure, PublishFailed)
        await publisher.stop()
        assert asyncio.all_tasks() <= tasks_before, "nothing of the producer is left to send"
        await asyncio.to_thread(kafka_server.start)
        assert [event.stream_version for event in await kafka.read("events")] == [1]
