"""What a rebuild of each projection is made of; the counterpart of `assembly.py` for the shadow."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from projector.applying.ports import Fold
from projector.parking.postgres.parking import PostgresParkedProducts
from projector.projections import (
    DOCUMENTS,
    PRODUCT_CACHE,
    PRODUCTS_STATE,
    TABLES,
    cached_products,
    source,
    tables_of,
)
from projector.rebuild.kafka import wait_until_applied
from projector.rebuild.postgres.cache_record import PostgresCacheRecords
from projector.rebuild.postgres.log_scan import PostgresLogScan
from projector.rebuild.postgres.record import RebuildRecords
from projector.rebuild.postgres.shadow import PostgresShadow
from projector.rebuild.postgres.shadow_parking import ParkedAnew
from projector.rebuild.postgres.view_check import postgres_view_check
from projector.rebuild.redis.cache_check import CacheCheck
from projector.rebuild.redis.shadow import RedisShadow
from projector.rebuild.verify import Verification
from projector.state_topic.postgres import publish_anew
from projector.stores import Stores
from projector.views.postgres.statements import SHADOW

REBUILDABLE = (*TABLES, PRODUCT_CACHE, PRODUCTS_STATE)


class ShadowParts(NamedTuple):
    """A shadow, its record, and the fold that fills it."""

    shadow: Any
    records: RebuildRecords
    fold: Fold[Any]
    next_generation: Callable[[], Awaitable[int]]


def log_scan(stores: Stores) -> PostgresLogScan:
    """The log, from end to end."""
    return PostgresLogScan(stores.log_pool)


def shadow_parts(name: str, stores: Stores) -> ShadowParts:
    """Of the projection of that name."""
    settings = stores.settings
    parked: ParkedAnew[Any] = ParkedAnew(
        stores.log,
        projection=name,
        topic=stores.topic,
        partition_count=settings.partition_count,
        limits=stores.limits,
    )
    if name == PRODUCT_CACHE:
        return _cache_parts(stores, parked)
    records = RebuildRecords(stores.read_model, name)
    tables, fold = tables_of(name, settings)
    shadow = PostgresShadow(
        stores.read_model,
        records,
        tables(),
        tables(SHADOW),
        parked,
        projection=name,
        topic=stores.topic,
        partition_count=settings.partition_count,
        returned=publish_anew if name == PRODUCTS_STATE else None,
    )
    return ShadowParts(shadow, records, fold, _no_generation)


def _cache_parts(stores: Stores, parked: ParkedAnew[Any]) -> ShadowParts:
    settings = stores.settings
    records = PostgresCacheRecords(stores.read_model, PRODUCT_CACHE, parked)
    shadow = RedisShadow(
        stores.redis(settings.redis_timeout_seconds),
        records,
        log_scan(stores).stream_versions,
        key_prefix=settings.redis_key_prefix,
        ttl_seconds=settings.cache_ttl_seconds,
        tombstone_ttl_seconds=settings.cache_tombstone_ttl_seconds,
        settling_seconds=settings.cache_settling_seconds,
    )
    return ShadowParts(shadow, records, DOCUMENTS, shadow.next_generation)


@asynccontextmanager
async def verification(
    name: str, stores: Stores, told: Callable[[int], None]
) -> AsyncIterator[Verification[Any]]:
    """Of the projection of that name. Raises `Unavailable`, `CannotGoOn`."""
    settings, log = stores.settings, log_scan(stores)
    if name == PRODUCT_CACHE:
        position = await log.newest_position()
        await live_has(name, stores, position, settings.rebuild_live_wait_seconds_max)
        parked = PostgresParkedProducts(stores.read_model, projection=name, topic=stores.topic)
        places = await parked.places(range(settings.partition_count))
        cache = CacheCheck(cached_products(stores), position, places.product_ids)
        yield Verification(name, log, DOCUMENTS, cache, told)
        return
    tables, fold = tables_of(name, settings)
    async with postgres_view_check(
        stores.read_model, tables, name, stores.topic, settings.partition_count
    ) as view:
        yield Verification(name, log, fold, view, told)


async def live_has(name: str, stores: Stores, position: int, seconds_max: float) -> None:
    """Wait until the running projection has applied the log up to a position."""
    kept = source(name, stores)
    checkpoints = None if name == PRODUCT_CACHE else RebuildRecords(stores.read_model, name).next_offsets
    await wait_until_applied(
        stores.settings.kafka_bootstrap_servers,
        kept.topic,
        kept.group,
        position,
        published_position=log_scan(stores).published_position,
        next_offsets=None if checkpoints is None else lambda: checkpoints(kept.topic),
        seconds_max=seconds_max,
    )


async def _no_generation() -> int:
    return 0
