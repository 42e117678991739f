"""Projections that keep a view: in tables of PostgreSQL, or as documents in Redis."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic
from uuid import UUID

from projector.applying.apply import Applier
from projector.applying.parking_breaker import ParkingBreaker
from projector.applying.ports import Fold, Listener, S, View
from projector.kafka.batch_run import BatchRun
from projector.kafka.progress import Progress
from projector.kafka.records import read_one
from projector.kafka.running import Lane, Running
from projector.kafka.work import Source
from projector.parking.drain import Drain
from projector.parking.postgres.parking import PostgresParkedProducts, parking_alone
from projector.rebuild.kafka import wait_until_applied
from projector.rebuild.postgres.cache_record import PostgresCacheRecords
from projector.rebuild.postgres.log_scan import PostgresLogScan
from projector.rebuild.postgres.record import RebuildRecords
from projector.rebuild.postgres.shadow import PostgresShadow, Returned
from projector.rebuild.postgres.shadow_parking import ParkedAnew
from projector.rebuild.postgres.view_check import postgres_view_check
from projector.rebuild.rebuilding import Rebuilding, Target
from projector.rebuild.redis.cache_check import CacheCheck
from projector.rebuild.redis.shadow import RedisShadow
from projector.rebuild.verify import Verification
from projector.stores import Stores
from projector.views.postgres.statements import LIVE, SHADOW
from projector.views.postgres.view import PostgresView, Tables
from projector.views.product_cache.redis.documents import CachedProducts
from projector.views.product_cache.redis.view import RedisProductCache
from shared.contract.views import ProductDocument
from shared.redis.product_keys import ProductKeys

if TYPE_CHECKING:
    from projector.settings import ProjectorSettings


@dataclass(frozen=True)
class ViewProjection(ABC, Generic[S]):
    """What both kinds share. `fold` makes the view of the events."""

    name: str
    fold: Fold[S]

    @property
    def rebuilding(self) -> Rebuilding | None:
        """The log has everything that a view is made of."""
        return self

    def lacks(self, settings: "ProjectorSettings") -> str | None:
        """A view needs nothing but the servers."""
        return None

    @abstractmethod
    def source(self, stores: Stores) -> Source:
        """Its topic, its consumer group, and where a new group begins."""

    @abstractmethod
    def view(self, stores: Stores) -> View[S]:
        """Where changes are written."""

    def listener(self, stores: Stores) -> Listener[S] | None:
        """Who hears of changes after they are visible."""
        return None

    def running(self, stores: Stores) -> Running:
        """One lane: the events."""
        progress = Progress(self.name)
        work = BatchRun(self.name, stores.settings, self.applier(stores), progress)
        return Running(self.name, [Lane(self.name, self.source(stores), work, progress)])

    def applier(self, stores: Stores) -> Applier[S]:
        """Applies batches to the view."""
        return Applier(
            self.view(stores),
            self.fold,
            stores.log,
            self.parked_products(stores),
            listener=self.listener(stores),
            breaker=ParkingBreaker(products_max=stores.settings.parked_products_per_minute_max),
        )

    def draining(self, stores: Stores) -> Drain[S]:
        """Applies dead letters to the view."""
        return Drain(self.view(stores), self.fold, stores.log, read_one, self.listener(stores))

    @property
    def why_left_out(self) -> str:
        """Why a proof can leave products out, for people."""
        return "parked"

    @abstractmethod
    def target(self, stores: Stores, owner_id: UUID) -> Target[S]:
        """What a rebuild fills."""

    @abstractmethod
    def verification(
        self, stores: Stores, told: Callable[[int], None]
    ) -> AbstractAsyncContextManager[Verification[S]]:
        """Compares the live view with the log. Raises `Unavailable`, `CannotGoOn`."""

    @abstractmethod
    async def wait_until_live_has(self, position: int, stores: Stores, seconds_max: float) -> None:
        """Until the running projection has applied so much. Raises `Unavailable`, `CannotGoOn`."""

    def parked_products(self, stores: Stores) -> PostgresParkedProducts:
        """What is parked, outside of any batch."""
        return PostgresParkedProducts(stores.read_model, projection=self.name, topic=stores.topic)

    def parked_anew(self, stores: Stores) -> ParkedAnew[S]:
        """Parks what a rebuild cannot fold."""
        return ParkedAnew(
            stores.log,
            projection=self.name,
            topic=stores.topic,
            partition_count=stores.settings.partition_count,
            limits=stores.limits,
        )


@dataclass(frozen=True)
class PostgresProjection(ViewProjection[S]):
    """A view in tables of PostgreSQL, with its checkpoints beside it. `gathers`: see `Source`."""

    gathers: bool = True

    @abstractmethod
    def tables(self, stores: Stores, schema: str = LIVE) -> Tables[S]:
        """Of one schema: the live ones, or a rebuild's."""

    @property
    def returned(self) -> Returned | None:
        """Called within the transaction of a roll-back: the tables before the last switch are live again."""
        return None

    def source(self, stores: Stores) -> Source:
        """Its checkpoints say where to go on."""
        return Source(stores.topic, stores.group(self.name), "checkpoint", gathers=self.gathers)

    def view(self, stores: Stores) -> View[S]:
        """Tables, checkpoints and dead letters in one transaction a batch."""
        return PostgresView(
            stores.read_model,
            self.tables(stores),
            projection=self.name,
            topic=stores.topic,
            limits=stores.limits,
        )

    def target(self, stores: Stores, owner_id: UUID) -> Target[S]:
        """The same tables in another schema."""
        records = RebuildRecords(stores.read_model, self.name, owner_id)
        shadow = PostgresShadow(
            stores.read_model,
            records,
            self.tables(stores),
            self.tables(stores, SHADOW),
            self.parked_anew(stores),
            projection=self.name,
            topic=stores.topic,
            partition_count=stores.settings.partition_count,
            returned=self.returned,
        )
        return Target(shadow, records, self.fold, _no_generation)

    @asynccontextmanager
    async def verification(
        self, stores: Stores, told: Callable[[int], None]
    ) -> AsyncIterator[Verification[S]]:
        """At one moment of the database. Raises `Unavailable`."""
        async with postgres_view_check(
            stores.read_model,
            partial(self.tables, stores),
            self.name,
            stores.topic,
            stores.settings.partition_count,
        ) as view:
            yield Verification(self.name, PostgresLogScan(stores.log_pool), self.fold, view, told)

    async def wait_until_live_has(self, position: int, stores: Stores, seconds_max: float) -> None:
        """Its checkpoints tell. Raises `Unavailable`, `CannotGoOn`."""
        checkpoints = RebuildRecords(stores.read_model, self.name)
        await wait_until_applied(
            stores.settings.kafka_bootstrap_servers,
            stores.topic,
            stores.group(self.name),
            position,
            published_position=PostgresLogScan(stores.log_pool).published_position,
            next_offsets=lambda: checkpoints.next_offsets(stores.topic),
            seconds_max=seconds_max,
        )


@dataclass(frozen=True, kw_only=True)
class TableProjection(PostgresProjection[S]):
    """The usual view: `make_tables` are its statements for the tables of a schema.

    `make_listener`: what hears of changes after they are visible, one for each process.
    """

    make_tables: Callable[[str], Tables[S]]
    make_listener: Callable[[Stores], Listener[S]] | None = None

    def tables(self, stores: Stores, schema: str = LIVE) -> Tables[S]:
        """Of one schema: the live ones, or a rebuild's."""
        return self.make_tables(schema)

    def listener(self, stores: Stores) -> Listener[S] | None:
        """Who hears of changes after they are visible."""
        return None if self.make_listener is None else self.make_listener(stores)


@dataclass(frozen=True)
class CacheProjection(ViewProjection[ProductDocument]):
    """Documents in Redis; the consumer group's committed offsets are its checkpoints."""

    def source(self, stores: Stores) -> Source:
        """Read first by queries, so it gathers nothing."""
        return Source(stores.topic, stores.group(self.name), "committed")

    def view(self, stores: Stores) -> RedisProductCache:
        """Dead letters are parked in PostgreSQL, in a transaction of their own."""
        parking = partial(parking_alone, stores.read_model, self.name, stores.limits)
        return RedisProductCache(self.documents(stores), parking)

    def documents(self, stores: Stores) -> CachedProducts:
        """Those of the live generation."""
        settings = stores.settings
        return CachedProducts(
            stores.redis(settings.redis_timeout_seconds),
            ProductKeys(settings.redis_key_prefix),
            ttl_seconds=settings.cache_ttl_seconds,
            tombstone_ttl_seconds=settings.cache_tombstone_ttl_seconds,
            settling_seconds=settings.cache_settling_seconds,
        )

    @property
    def why_left_out(self) -> str:
        """Why a proof can leave products out, for people."""
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
        self, stores: Stores, told: Callable[[int], None]
    ) -> AsyncIterator[Verification[ProductDocument]]:
        """When the cache has applied the log up to now. Raises `Unavailable`, `CannotGoOn`."""
        settings, log = stores.settings, PostgresLogScan(stores.log_pool)
        position = await log.newest_position()
        await self.wait_until_live_has(position, stores, settings.rebuild_live_wait_seconds_max)
        places = await self.parked_products(stores).places(range(settings.partition_count))
        cache = CacheCheck(self.documents(stores), position, places.product_ids)
        yield Verification(self.name, log, self.fold, cache, told)

    async def wait_until_live_has(self, position: int, stores: Stores, seconds_max: float) -> None:
        """The group's committed offsets tell. Raises `Unavailable`, `CannotGoOn`."""
        await wait_until_applied(
            stores.settings.kafka_bootstrap_servers,
            stores.topic,
            stores.group(self.name),
            position,
            published_position=PostgresLogScan(stores.log_pool).published_position,
            next_offsets=None,
            seconds_max=seconds_max,
        )


async def _no_generation() -> int:
    return 0
