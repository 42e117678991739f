"""What each projection is made of: its fold, its view, its place to start from. The one list of them all."""

from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from projector.apply import Projection
from projector.kafka.work import Source
from projector.parking_breaker import ParkingBreaker
from projector.ports import EventLog, Fold
from projector.postgres.parking import ParkingLimits, PostgresParkedProducts, parking_alone
from projector.postgres.product_view import ProductViewTables
from projector.postgres.view import PostgresView
from projector.projections import product_document
from projector.redis.list_generations import RedisListGenerations
from projector.redis.product_cache import RedisProductCache
from shared.contract.addresses import topics
from shared.redis.client import create_redis

if TYPE_CHECKING:
    import asyncpg
    from redis.asyncio import Redis

    from projector.settings import ProjectorSettings

PRODUCT_VIEW, PRODUCT_CACHE = "product_view", "product_cache"
PROJECTIONS = (PRODUCT_VIEW, PRODUCT_CACHE)
DOCUMENTS = Fold(product_document.EVENT_TYPES, product_document.apply_event, product_document.pass_over)
_REDIS_CONNECTIONS_MAX = 4


class Stores(NamedTuple):
    """What all projections of a process share."""

    settings: "ProjectorSettings"
    read_model: "asyncpg.Pool[asyncpg.Record]"
    log: EventLog
    stack: AsyncExitStack

    @property
    def topic(self) -> str:
        """Where events come from."""
        return topics(self.settings.kafka_topic_prefix).events

    @property
    def limits(self) -> ParkingLimits:
        """How much may be parked."""
        return ParkingLimits(self.settings.parked_products_max, self.settings.parked_events_per_product_max)

    def redis(self, timeout_seconds: float) -> "Redis":
        """A client of one's own, closed with the stack."""
        client = create_redis(
            self.settings.redis_url,
            socket_timeout_seconds=timeout_seconds,
            connect_timeout_seconds=timeout_seconds,
            connections_max=_REDIS_CONNECTIONS_MAX,
        )
        self.stack.push_async_callback(client.aclose)
        return client


def source(name: str, stores: Stores) -> Source:
    """Its topic, its consumer group, and where that begins."""
    group = f"{stores.settings.kafka_topic_prefix}{name}"
    return Source(stores.topic, group, "committed" if name == PRODUCT_CACHE else "checkpoint")


def projection(name: str, stores: Stores) -> Projection[Any]:
    """The projection of that name, wired."""
    settings = stores.settings
    parked = PostgresParkedProducts(stores.read_model, projection=name, topic=stores.topic)
    breaker = ParkingBreaker(products_max=settings.parked_products_per_minute_max)
    if name == PRODUCT_CACHE:
        cache = RedisProductCache(
            stores.redis(settings.redis_timeout_seconds),
            partial(parking_alone, stores.read_model, name, stores.limits),
            key_prefix=settings.redis_key_prefix,
            ttl_seconds=settings.cache_ttl_seconds,
            tombstone_ttl_seconds=settings.cache_tombstone_ttl_seconds,
        )
        return Projection(cache, DOCUMENTS, stores.log, parked, breaker=breaker)
    view = PostgresView(
        stores.read_model, ProductViewTables(), projection=name, topic=stores.topic, limits=stores.limits
    )
    # The list counters get a client of their own: their time-out is far shorter.
    lists = RedisListGenerations(
        stores.redis(settings.list_generation_timeout_seconds), key_prefix=settings.redis_key_prefix
    )
    return Projection(view, DOCUMENTS, stores.log, parked, listener=lists, breaker=breaker)
