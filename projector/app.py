"""Puts the projector together: pools, views, consumers, the operations port; and takes it apart in order."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from projector.apply import Projection
from projector.kafka.batches import create_broker
from projector.kafka.consumer import ProjectionConsumer
from projector.ports import EventLog, View
from projector.postgres.event_log import PostgresEventLog
from projector.postgres.product_view import PostgresProductView
from projector.redis.list_generations import RedisListGenerations
from projector.redis.product_cache import RedisProductCache
from projector.settings import ProjectorSettings
from shared.contract.addresses import topics
from shared.ops.garbage import spare_started_objects
from shared.ops.health import Health
from shared.ops.http.operations import operations_app
from shared.ops.http.server import HttpServer
from shared.ops.logs import get_logger
from shared.ops.metrics import build_info, watch_event_loop
from shared.ops.retry import RetryPolicy, retry_transient
from shared.ops.version import service_version
from shared.postgres.pool import create_pool
from shared.redis.client import create_redis

if TYPE_CHECKING:
    import asyncpg

PROCESS = "projector"
PRODUCT_VIEW, PRODUCT_CACHE = "product_view", "product_cache"
PROJECTIONS = (PRODUCT_VIEW, PRODUCT_CACHE)
# One batch at a time per projection; the rest is for health checks.
_POOL_CONNECTIONS_MAX = 4
_REDIS_CONNECTIONS_MAX = 4
_log = get_logger(__name__)


async def run_projector(settings: ProjectorSettings, names: Sequence[str], stop: asyncio.Event) -> None:
    """Run the named projections until `stop`. Raises only what makes a start senseless, like a taken port."""
    build_info(PROCESS, service_version())
    health = Health(PROCESS)
    async with AsyncExitStack() as stack:
        server = HttpServer(
            operations_app(health),
            host=settings.listen_host,
            port=settings.projector_ops_port,
            port_setting="PROJECTOR_OPS_PORT",
        )
        await server.start()
        stack.push_async_callback(server.stop, 1.0)
        broker = create_broker(settings)
        consumers = await _consumers(settings, names, health, broker, stack)
        loop_watch = asyncio.create_task(watch_event_loop(stop))
        if await _start(broker, consumers, stop):
            spare_started_objects()
            _log.info("started", projections=list(names), ops_port=server.port)
            await stop.wait()
        health.drain()
        await asyncio.gather(*(consumer.stop() for consumer in consumers))
        await broker.stop()
        await loop_watch


async def _consumers(
    settings: ProjectorSettings,
    names: Sequence[str],
    health: Health,
    broker: KafkaBroker,
    stack: AsyncExitStack,
) -> list[ProjectionConsumer]:
    read_model = await _pool(settings, settings.read_model_dsn, stack)
    log = PostgresEventLog(await _pool(settings, settings.event_store_read_dsn, stack))
    topic = topics(settings.kafka_topic_prefix).events
    health.require("read_model", lambda: _ping(read_model))
    consumers = []
    for name in names:
        view, projection = _projection(settings, name, read_model, log, topic, stack)
        consumer = ProjectionConsumer(
            name,
            broker,
            settings,
            projection,
            view,
            log,
            topic=topic,
            position_is_committed=name == PRODUCT_CACHE,
            heartbeat=health.expect_progress(name, settings.silence_seconds_max),
        )
        health.require(name, consumer.check)
        consumers.append(consumer)
    return consumers


def _projection(
    settings: ProjectorSettings,
    name: str,
    read_model: "asyncpg.Pool[asyncpg.Record]",
    log: EventLog,
    topic: str,
    stack: AsyncExitStack,
) -> tuple[View, Projection]:
    """The view of that name. The list counters get a client of their own: their time-out is far shorter."""
    is_view = name == PRODUCT_VIEW
    seconds = settings.list_generation_timeout_seconds if is_view else settings.redis_timeout_seconds
    redis = create_redis(
        settings.redis_url,
        socket_timeout_seconds=seconds,
        connect_timeout_seconds=seconds,
        connections_max=_REDIS_CONNECTIONS_MAX,
    )
    stack.push_async_callback(redis.aclose)
    if is_view:
        table = PostgresProductView(read_model, projection=name, topic=topic)
        lists = RedisListGenerations(redis, key_prefix=settings.redis_key_prefix)
        return table, Projection(table, log, lists)
    cache = RedisProductCache(
        redis,
        key_prefix=settings.redis_key_prefix,
        ttl_seconds=settings.cache_ttl_seconds,
        tombstone_ttl_seconds=settings.cache_tombstone_ttl_seconds,
    )
    return cache, Projection(cache, log)


async def _pool(
    settings: ProjectorSettings, dsn: str, stack: AsyncExitStack
) -> "asyncpg.Pool[asyncpg.Record]":
    pool = await create_pool(
        dsn,
        application_name=PROCESS,
        size_max=_POOL_CONNECTIONS_MAX,
        statement_timeout_seconds=settings.statement_timeout_seconds,
        connect_timeout_seconds=settings.connect_timeout_seconds,
    )
    stack.callback(pool.terminate)
    return pool


async def _ping(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    await pool.fetchval("SELECT 1")


async def _start(broker: KafkaBroker, consumers: Sequence[ProjectionConsumer], stop: asyncio.Event) -> bool:
    """Join the groups as soon as Kafka is there; false when told to stop before that."""
    policy = RetryPolicy("projector-start", 0.2, 5.0, budget_seconds=None)

    async def attempt() -> None:
        for consumer in consumers:
            # Waiting for Kafka is no reason to be restarted.
            consumer.heartbeat.beat()
        try:
            await broker.start()
        except KafkaError:
            await broker.stop()
            raise

    try:
        await retry_transient(
            policy, attempt, is_transient=lambda error: isinstance(error, KafkaError | OSError), stop=stop
        )
    except (KafkaError, OSError):
        if not stop.is_set():
            raise
        return False
    for consumer in consumers:
        consumer.start()
    return True
