"""The projection that keeps documents in Redis."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from projector.control.watch import Watch
from projector.kafka.running import Running
from projector.kafka.work import Source
from projector.parking.postgres.parking import parking_alone
from projector.rebuild.postgres.cache_record import PostgresCacheRecords
from projector.rebuild.postgres.log_scan import PostgresLogScan
from projector.rebuild.rebuilding import Target
from projector.rebuild.redis.cache_check import CacheCheck
from projector.rebuild.redis.shadow import RedisShadow
from projector.rebuild.verify import Verification
from projector.stores import Stores
from projector.view_projection import ViewProjection
from projector.views.product_cache.redis.checkpoints import CacheCheckpoints
from projector.views.product_cache.redis.documents import CachedProducts
from projector.views.product_cache.redis.view import RedisProductCache
from shared.contract.views import ProductDocument
from shared.redis.key_groups import key_groups


@dataclass(frozen=True)
class CacheProjection(ViewProjection[ProductDocument]):
    """Documents in Redis; the consumer group's committed offsets are its checkpoints."""

    def source(self, stores: Stores) -> Source:
        """Queries read it first, so it does not wait for a fuller batch."""
        return Source(stores.topic, stores.group(self.name), "committed-view")

    def view(self, stores: Stores) -> RedisProductCache:
        """Dead letters are stored in PostgreSQL, in a transaction of their own."""
        return self._view(self.documents(stores), stores)

    def running(self, stores: Stores) -> Running:
        """The events, and a watch over what Redis keeps of them."""
        documents = self.documents(stores)
        settings = stores.settings
        checkpoints = CacheCheckpoints(
            stores.redis(settings.redis_timeout_seconds),
            documents.keys,
            stores.log,
            settling_seconds=settings.cache_settling_seconds,
        )
        view = self._view(documents, stores, checkpoints)
        running = self.running_on(view, stores, revoked=checkpoints.forget)
        (events,) = running.subscriptions
        watch = Watch(
            self.name,
            "checkpoints in Redis",
            checkpoints.compare,
            effect="nobody notices if Redis loses writes",
        )
        return running._replace(
            subscriptions=[events._replace(placed=checkpoints.placed)],
            background=[watch],
        )

    def _view(
        self, documents: CachedProducts, stores: Stores, checkpoints: CacheCheckpoints | None = None
    ) -> RedisProductCache:
        parking = partial(parking_alone, stores.read_model, self.name, stores.limits)
        return RedisProductCache(documents, parking, checkpoints)

    def documents(self, stores: Stores) -> CachedProducts:
        """The documents of the live generation."""
        settings = stores.settings
        redis = stores.redis(settings.redis_timeout_seconds)
        return CachedProducts(
            redis,
            key_groups(redis, settings.redis_key_prefix),
            ttl_seconds=settings.cache_ttl_seconds,
            tombstone_ttl_seconds=settings.cache_tombstone_ttl_seconds,
            settling_seconds=settings.cache_settling_seconds,
        )

    @property
    def shadow_is(self) -> str:
        """For the output: where a shadow is that waits for an operator."""
        return "the next generation of keys in Redis"

    @property
    def why_left_out(self) -> str:
        """For the output: why a comparison leaves products out."""
        return "not in the cache before, or parked"

    def target(self, stores: Stores, owner_id: UUID) -> Target[ProductDocument]:
        """The next generation of keys."""
        settings = stores.settings
        records = PostgresCacheRecords(stores.read_model, self.name, self.parked_anew(stores), owner_id)
        shadow = RedisShadow(
            stores.redis(settings.redis_timeout_seconds),
            records,
            PostgresLogScan(stores.log_pool).stream_versions,
            key_prefix=settings.redis_key_prefix,
            ttl_seconds=settings.cache_ttl_seconds,
            tombstone_ttl_seconds=settings.cache_tombstone_ttl_seconds,
            settling_seconds=settings.cache_settling_seconds,
        )
        return Target(shadow, records, self.fold, shadow.next_generation)

    @asynccontextmanager
    async def verification(
        self, stores: Stores, report: Callable[[int], None]
    ) -> AsyncIterator[Verification[ProductDocument]]:
        """Waits until the cache has applied the log up to now. Raises `Unavailable`, `CannotGoOn`."""
        settings, log = stores.settings, PostgresLogScan(stores.log_pool)
        position = await log.newest_position()
        await self.wait_until_live_has(position, stores, settings.rebuild_live_wait_seconds_max)
        places = await self.parked_products(stores).places(range(settings.partition_count))
        cache = CacheCheck(self.documents(stores), position, places.product_ids)
        yield Verification(self.name, log, self.fold, cache, report)
