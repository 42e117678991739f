"""A projector among real servers, and what tests do to it."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest_asyncio
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis.asyncio import Redis

from deploy.local.ports import free_port
from projector.app import run_projector
from projector.projections import BY_NAME
from projector.settings import ProjectorSettings
from shared.contract.addresses import list_generation_key, partition_of, product_key, topics
from shared.contract.cached_document import CachedDocument, unpack
from shared.contract.recorded_event import RecordedEvent
from shared.contract.views import ProductDocument, decode_document
from shared.kafka.cloud_event import record_headers
from shared.kafka.servers import KafkaServers
from shared.kafka.topic_deletion import delete_topics
from shared.kafka.topics import TopicSpec, ensure_topics
from shared.ops.secret import Secret
from shared.redis.address import RedisAddress
from shared.redis.client import create_redis
from shared.redis.key_groups import key_groups
from shared.redis.product_keys import ProductKeys
from tests.eventually import eventually
from tests.integration.event_store_world import insert_events
from tests.servers import DatabaseDsns
from tests.unit.projector.histories import new_product_id

PARTITIONS = 12
# What readers read; the other projections have tests of their own.
VIEWS = ("product_view", "product_cache")


class World:
    """One event store, one read model, one cache and one topic; `published` counts what went to Kafka."""

    def __init__(
        self, settings: ProjectorSettings, store: asyncpg.Connection, views: asyncpg.Connection, redis: Redis,
        producer: AIOKafkaProducer, log_id: UUID, owner_dsns: tuple[str, str],
    ) -> None:  # fmt: skip
        self.settings = settings
        self.store = store
        self.views = views
        self.redis = redis
        self.producer = producer
        self.log_id = log_id
        self.owner_dsns = owner_dsns
        self.topic = topics(settings.kafka_topic_prefix).events

    async def append(self, events: Iterable[RecordedEvent]) -> None:
        """Into the log alone."""
        await insert_events(self.store, events)

    async def publish(self, events: Iterable[RecordedEvent], *, log_id: UUID | None = None) -> None:
        """To Kafka, as the relay does."""
        log = str(log_id or self.log_id).encode()
        for one in events:
            await self.publish_raw(str(one.product_id).encode(), one.data, record_headers(one, log))

    async def publish_raw(
        self, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, Any]]
    ) -> Any:
        return await self.producer.send_and_wait(self.topic, value, key, headers=headers)

    async def happen(self, events: Sequence[RecordedEvent]) -> None:
        """Appended and published."""
        await self.append(events)
        await self.publish(events)

    async def row(self, product_id: UUID) -> asyncpg.Record | None:
        return await self.views.fetchrow("SELECT * FROM views.product_view WHERE product_id = $1", product_id)

    async def document(self, product_id: UUID) -> ProductDocument | None:
        row = await self.row(product_id)
        return decode_document(row["document"]) if row and row["document"] is not None else None

    async def cached(self, product_id: UUID) -> CachedDocument | None:
        value = await self.redis.get(product_key(self.settings.redis_key_prefix, product_id))
        return unpack(value) if value is not None else None

    async def live_keys(self, product_id: UUID) -> ProductKeys:
        """Of the product's group, in its live generation."""
        ((keys, _),) = key_groups(self.redis, self.settings.redis_key_prefix).split([product_id])
        keys.learn(await self.redis.get(keys.generation_key))
        return keys

    async def group_shows(self, product_id: UUID, stream_version: int) -> None:
        """Like `cache_shows`, in whatever generation is live."""
        value = await self.redis.get((await self.live_keys(product_id)).of([product_id])[0])
        assert value is not None
        assert unpack(value).stream_version == stream_version

    async def table_shows(self, product_id: UUID, stream_version: int) -> None:
        row = await self.row(product_id)
        assert row is not None
        assert row["stream_version"] == stream_version

    async def cache_shows(self, product_id: UUID, stream_version: int) -> None:
        cached = await self.cached(product_id)
        assert cached is not None
        assert cached.stream_version == stream_version

    async def generation(self, top_category: str | None) -> int:
        return int(
            await self.redis.get(list_generation_key(self.settings.redis_key_prefix, top_category)) or 0
        )

    async def ops(self, path: str) -> httpx.Response:
        """An answer of the operations port; one that does not listen yet is an assertion to repeat."""
        try:
            async with httpx.AsyncClient(timeout=30) as client:
                return await client.get(f"http://127.0.0.1:{self.settings.projector_ops_port}{path}")
        except httpx.ConnectError as error:
            raise AssertionError("the operations port does not listen") from error

    async def reconnect(self) -> None:
        """After PostgreSQL was gone."""
        self.store, self.views = [await asyncpg.connect(dsn) for dsn in self.owner_dsns]

    async def remake_topic(self) -> None:
        """The same name, no records, offsets from 0."""
        await self.delete_topic()
        await self.make_topic()

    async def delete_topic(self) -> None:
        """Until nobody lists it any more."""
        servers = KafkaServers(self.settings.kafka_bootstrap_servers)
        await delete_topics(servers, [self.topic], seconds_max=60)

    async def make_topic(self) -> None:
        """Without records."""
        servers = KafkaServers(self.settings.kafka_bootstrap_servers)
        await ensure_topics(servers, [TopicSpec(self.topic, PARTITIONS, 1)])

    async def stopped(self, projection: str) -> str:
        """The reason readiness gives; for `eventually`."""
        answer = (await self.ops("/readyz")).json()
        assert "stopped" in answer["checks"].get(projection, "no such check"), answer
        return str(answer["checks"][projection])

    async def ready(self) -> None:
        answer = await self.ops("/readyz")
        assert answer.status_code == 200, answer.text

    @asynccontextmanager
    async def projecting(self, *names: str, wait: bool = True, **changed: Any) -> AsyncIterator[None]:
        """A projector that runs in this block and must end well."""
        stop = asyncio.Event()
        settings = self.settings.model_copy(update=changed)
        running = asyncio.create_task(
            run_projector(settings, [BY_NAME[name] for name in names or VIEWS], stop)
        )
        try:
            if wait:
                await eventually(self._is_ready_or_failed(running))
            yield
        finally:
            stop.set()
            async with asyncio.timeout(settings.shutdown_seconds_max):
                await running

    def _is_ready_or_failed(self, running: "asyncio.Task[None]") -> Any:
        async def check() -> None:
            if running.done():
                await running
            await self.ready()

        return check


@pytest_asyncio.fixture
async def world(
    event_store_dsns: DatabaseDsns,
    read_model_dsns: DatabaseDsns,
    redis_url: str,
    kafka_prefix: str,
    kafka_bootstrap_servers: str,
) -> AsyncIterator[World]:
    settings = ProjectorSettings(
        _env_file=None,
        read_model_dsn=read_model_dsns.projector,
        event_store_read_dsn=event_store_dsns.log_reader,
        redis_url=redis_url,
        redis_key_prefix=kafka_prefix,
        kafka_bootstrap_servers=kafka_bootstrap_servers,
        kafka_topic_prefix=kafka_prefix,
        projector_ops_port=free_port(),
        retry_budget_seconds=1.0,
        pause_seconds=0.2,
    )
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(topics(kafka_prefix).events, PARTITIONS, 1)])
    await admin.close()
    store, views = await asyncpg.connect(event_store_dsns.owner), await asyncpg.connect(read_model_dsns.owner)
    redis = create_redis(
        RedisAddress(Secret(redis_url)),
        socket_timeout_seconds=30,
        connect_timeout_seconds=30,
        connections_max=4,
    )
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap_servers)
    await producer.start()
    log_id = UUID(int=(await store.fetchval("SELECT log_id FROM catalogue.event_log")).int)
    one = World(
        settings, store, views, redis, producer, log_id, (event_store_dsns.owner, read_model_dsns.owner)
    )
    yield one
    await producer.stop()
    await redis.aclose()
    for connection in (one.store, one.views):
        await connection.close()


def product_id_in(partition: int) -> UUID:
    return next(one for one in iter(new_product_id, None) if partition_of(one, PARTITIONS) == partition)


async def committed(world: World, projection: str, partition: int) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=world.settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        group = f"{world.settings.kafka_topic_prefix}{projection}"
        offsets = await admin.list_consumer_group_offsets(group)
        found = offsets.get(TopicPartition(world.topic, partition))
        return -1 if found is None else int(found.offset)
    finally:
        await admin.close()
