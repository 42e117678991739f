"""What each projection is made of: its fold, its view, its place to start from. The one list of them all."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from projector.applying.apply import Projection
from projector.applying.parking_breaker import ParkingBreaker
from projector.applying.ports import Fold
from projector.control.postgres import PostgresControl
from projector.kafka.batch_run import BatchRun
from projector.kafka.progress import Progress
from projector.kafka.records import read_one
from projector.kafka.running import Background, Lane, Running
from projector.kafka.starting_points import StartsAt
from projector.kafka.work import Source, Work
from projector.notifications.assembly import (
    NOTIFICATIONS,
    notification_drain,
    notification_source,
    running_notifications,
)
from projector.operators.operations import Draining, Operations
from projector.parking.drain import Drain
from projector.parking.postgres.dead_letters import PostgresDeadLetters
from projector.parking.postgres.parking import PostgresParkedProducts, parking_alone
from projector.state_topic import fold as product_state
from projector.state_topic.kafka.run import PublishingRun
from projector.state_topic.kafka.topic import KafkaStateTopic, StateTopicSettings
from projector.state_topic.postgres import PostgresStates, ProductStateTables
from projector.state_topic.publish import StatePublisher
from projector.stores import Stores
from projector.views import product_document
from projector.views.analytics import fold as analytics
from projector.views.analytics.postgres import AnalyticsTables
from projector.views.category_view import fold as category_view
from projector.views.category_view.postgres import CategoryViewTables
from projector.views.inventory import fold as inventory
from projector.views.inventory.postgres import InventoryTables
from projector.views.postgres.view import PostgresView, Tables
from projector.views.product_cache.redis.documents import CachedProducts
from projector.views.product_cache.redis.view import RedisProductCache
from projector.views.product_view.postgres import ProductViewTables
from projector.views.product_view.redis import RedisListGenerations
from shared.contract.addresses import state_topic
from shared.kafka.topics import LATEST_PER_KEY, TopicSpec
from shared.redis.product_keys import ProductKeys

if TYPE_CHECKING:
    from projector.settings import ProjectorSettings
PRODUCT_VIEW, PRODUCT_CACHE, PRODUCTS_STATE = "product_view", "product_cache", "products_state"
DOCUMENTS = Fold(product_document.EVENT_TYPES, product_document.apply_event, product_document.pass_over)
STATES = Fold(product_state.EVENT_TYPES, product_state.apply_event, product_state.pass_over)
TABLES: Mapping[str, tuple[Callable[..., Tables[Any]], Fold[Any]]] = {
    PRODUCT_VIEW: (ProductViewTables, DOCUMENTS),
    "category_view": (
        CategoryViewTables,
        Fold(category_view.EVENT_TYPES, category_view.apply_event, category_view.pass_over),
    ),
    "inventory": (InventoryTables, Fold(inventory.EVENT_TYPES, inventory.apply_event, inventory.pass_over)),
    "analytics": (AnalyticsTables, Fold(analytics.EVENT_TYPES, analytics.apply_event, analytics.pass_over)),
}
"""Views in PostgreSQL that queries read: their tables, for any schema, and their folds."""
PROJECTIONS = (*TABLES, PRODUCT_CACHE, PRODUCTS_STATE, NOTIFICATIONS)


def source(name: str, stores: Stores) -> Source:
    """Its topic, its consumer group, and where that begins."""
    if name == NOTIFICATIONS:
        return notification_source(stores)
    group = f"{stores.settings.kafka_topic_prefix}{name}"
    starts_at: StartsAt = "committed" if name == PRODUCT_CACHE else "checkpoint"
    # A consistency token waits for the view, and what the cache holds is read first.
    return Source(stores.topic, group, starts_at, gathers=name not in {PRODUCT_VIEW, PRODUCT_CACHE})


def default_projections(settings: "ProjectorSettings") -> tuple[str, ...]:
    """What runs where nobody names any: notifications only where there is somebody to notify."""
    return tuple(name for name in PROJECTIONS if name != NOTIFICATIONS or settings.sends_mails)


def tables_of(name: str, settings: "ProjectorSettings") -> tuple[Callable[..., Tables[Any]], Fold[Any]]:
    """Of a projection whose view is in PostgreSQL: its tables, for any schema, and its fold."""
    if name == PRODUCTS_STATE:
        return partial(ProductStateTables, settings.partition_count), STATES
    return TABLES[name]


class Parts(NamedTuple):
    """A view, its fold, and who hears of its changes."""

    view: Any
    fold: Fold[Any]
    listener: Any = None


def parts(name: str, stores: Stores) -> Parts:
    """What the projection of that name is made of."""
    settings = stores.settings
    if name == PRODUCT_CACHE:
        parking = partial(parking_alone, stores.read_model, name, stores.limits)
        return Parts(RedisProductCache(cached_products(stores), parking), DOCUMENTS)
    tables, fold = tables_of(name, settings)
    view = PostgresView(
        stores.read_model, tables(), projection=name, topic=stores.topic, limits=stores.limits
    )
    if name != PRODUCT_VIEW:
        return Parts(view, fold)
    # The list counters get a client of their own: their time-out is far shorter.
    lists = RedisListGenerations(
        stores.redis(settings.list_generation_timeout_seconds), key_prefix=settings.redis_key_prefix
    )
    return Parts(view, fold, lists)


def cached_products(stores: Stores) -> CachedProducts:
    """The documents of the live generation."""
    settings = stores.settings
    return CachedProducts(
        stores.redis(settings.redis_timeout_seconds),
        ProductKeys(settings.redis_key_prefix),
        ttl_seconds=settings.cache_ttl_seconds,
        tombstone_ttl_seconds=settings.cache_tombstone_ttl_seconds,
        settling_seconds=settings.cache_settling_seconds,
    )


def projection(name: str, stores: Stores) -> Projection[Any]:
    """To apply batches with."""
    view, fold, listener = parts(name, stores)
    return Projection(
        view,
        fold,
        stores.log,
        PostgresParkedProducts(stores.read_model, projection=name, topic=stores.topic),
        listener=listener,
        breaker=ParkingBreaker(products_max=stores.settings.parked_products_per_minute_max),
    )


def running(name: str, stores: Stores) -> Running:
    """All that runs of the projection of that name."""
    if name == NOTIFICATIONS:
        return running_notifications(stores)
    progress = Progress(name)
    work: Work = BatchRun(name, stores.settings, projection(name, stores), progress)
    background: list[Background] = []
    topics: list[TopicSpec] = []
    if name == PRODUCTS_STATE:
        topics.append(_state_spec(stores))
        publisher = _state_publisher(stores, topics[0])
        work = PublishingRun(work, publisher)
        background.append(publisher)
    return Running(name, [Lane(name, source(name, stores), work, progress)], background, topics)


def _state_spec(stores: Stores) -> TopicSpec:
    settings = stores.settings
    name = state_topic(settings.kafka_topic_prefix)
    return TopicSpec(
        name, settings.partition_count, settings.kafka_replication_factor, configs=LATEST_PER_KEY
    )


def _state_publisher(stores: Stores, spec: TopicSpec) -> StatePublisher:
    """From the table of states to the compacted topic."""
    settings = stores.settings
    group = source(PRODUCTS_STATE, stores).group
    return StatePublisher(
        PRODUCTS_STATE,
        PostgresStates(stores.read_model, projection=PRODUCTS_STATE, topic=stores.topic),
        KafkaStateTopic(StateTopicSettings(settings.kafka_bootstrap_servers, spec, group)),
        topic_name=spec.name,
        pause_seconds=settings.state_publish_pause_seconds,
    )


def drain(name: str, stores: Stores) -> Drain[Any]:
    """To take parked events out again."""
    view, fold, listener = parts(name, stores)
    return Drain(view, fold, stores.log, read_one, listener)


def operations(stores: Stores) -> Operations:
    """What operators do, over the same stores."""
    drains: dict[str, Callable[[], Draining]] = {name: partial(drain, name, stores) for name in PROJECTIONS}
    drains[NOTIFICATIONS] = partial(notification_drain, stores)
    return Operations(
        PostgresDeadLetters(stores.read_model),
        PostgresControl(stores.read_model),
        drains,
        PROJECTIONS,
        stores.topic,
    )
