"""The servers that all projections of a process share: two pools, the log, Redis, OpenSearch."""

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, NamedTuple

from projector.applying.ports import EventLog
from projector.applying.postgres import PostgresEventLog
from projector.parking.postgres.parking import ParkingLimits
from shared.contract.addresses import topics
from shared.ops.secret import Secret
from shared.postgres.pool import create_pool
from shared.redis.client import create_redis
from shared.search.opensearch.client import OpenSearchClient

if TYPE_CHECKING:
    import asyncpg
    from redis.asyncio import Redis

    from projector.settings import ProjectorSettings

_REDIS_CONNECTIONS_MAX = 4
_OPENSEARCH_CONNECTIONS_MAX = 4
LOG_CONNECTIONS_MAX = 4


class Stores(NamedTuple):
    """The servers and settings that all projections of a process share."""

    settings: "ProjectorSettings"
    read_model: "asyncpg.Pool[asyncpg.Record]"
    log_pool: "asyncpg.Pool[asyncpg.Record]"
    log: EventLog
    stack: AsyncExitStack

    @property
    def topic(self) -> str:
        """The topic of the events."""
        return topics(self.settings.kafka_topic_prefix).events

    @property
    def limits(self) -> ParkingLimits:
        """How much may be parked."""
        return ParkingLimits(self.settings.parked_products_max, self.settings.parked_events_per_product_max)

    def group(self, projection: str) -> str:
        """The consumer group of a projection."""
        return f"{self.settings.kafka_topic_prefix}{projection}"

    def redis(self, timeout_seconds: float) -> "Redis":
        """A client for the caller alone, closed with the stack."""
        client = create_redis(
            self.settings.redis_address,
            socket_timeout_seconds=timeout_seconds,
            connect_timeout_seconds=timeout_seconds,
            connections_max=_REDIS_CONNECTIONS_MAX,
        )
        self.stack.push_async_callback(client.aclose)
        return client

    def opensearch(self) -> OpenSearchClient:
        """A client for the caller alone, closed with the stack. Only with `SEARCH_URL`."""
        address = self.settings.search_address
        assert address is not None, "the projection lacks no setting"
        client = OpenSearchClient(
            address,
            connections_max=_OPENSEARCH_CONNECTIONS_MAX,
            seconds_max=self.settings.search_write_timeout_seconds,
            connect_seconds_max=self.settings.connect_timeout_seconds,
        )
        self.stack.push_async_callback(client.close)
        return client


async def open_stores(settings: "ProjectorSettings", connections_max: int, stack: AsyncExitStack) -> Stores:
    """Connected when first used, closed with the stack."""
    read_model = await _pool("projector", settings, settings.read_model_dsn, connections_max, stack)
    log = await _pool("projector log", settings, settings.event_store_read_dsn, LOG_CONNECTIONS_MAX, stack)
    return Stores(settings, read_model, log, PostgresEventLog(log), stack)


async def _pool(
    name: str, settings: "ProjectorSettings", dsn: Secret, connections_max: int, stack: AsyncExitStack
) -> "asyncpg.Pool[asyncpg.Record]":
    pool = await create_pool(
        dsn,
        application_name=name,
        size_max=connections_max,
        statement_timeout_seconds=settings.statement_timeout_seconds,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        lock_timeout_seconds=settings.lock_timeout_seconds,
    )
    stack.callback(pool.terminate)
    return pool
