"""One view over real servers, fed as Kafka feeds it: its log, its dead letters and their retry."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from projector.applying.apply import Applier
from projector.applying.dead_letters import Action
from projector.applying.ports import Fold
from projector.applying.postgres import PostgresEventLog
from projector.kafka.records import read_one
from projector.parking.postgres.parking import (
    DEFAULT_LIMITS,
    ParkingLimits,
    PostgresParkedProducts,
    parking_alone,
)
from projector.parking.retry import Retry
from projector.projections import PRODUCT_CACHE, PRODUCT_VIEW
from projector.views.postgres.view import PostgresView
from projector.views.product_cache.redis.documents import CachedProducts
from projector.views.product_cache.redis.view import RedisProductCache
from projector.views.product_document import FOLD as DOCUMENTS
from projector.views.product_view.redis import RedisListGenerations
from shared.contract.recorded_event import RecordedEvent
from shared.ops.secret import Secret
from shared.postgres.pool import create_pool
from shared.redis.address import RedisAddress
from shared.redis.client import create_redis
from shared.redis.product_keys import ProductKeys
from tests.integration.event_store_world import insert_events
from tests.servers import DatabaseDsns
from tests.table_projections import TABLES
from tests.unit.projector.deliveries import Deliveries
from tests.unit.projector.feed import VIEWS_OF_EVERY_TYPE
from tests.unit.projector.records import LOG_ID


class Log:
    """The real log, written by its owner, read as the projector reads it."""

    def __init__(self, owner: asyncpg.Connection, reading: PostgresEventLog) -> None:
        self.reading = reading
        self._owner = owner

    async def keep(self, events: Sequence[RecordedEvent]) -> None:
        await insert_events(self._owner, events)


@pytest_asyncio.fixture
async def log(event_store_dsns: DatabaseDsns) -> AsyncIterator[Log]:
    owner = await asyncpg.connect(event_store_dsns.owner)
    pool = await _pool(event_store_dsns.log_reader)
    yield Log(owner, PostgresEventLog(pool))
    pool.terminate()
    await owner.close()


@pytest_asyncio.fixture
async def read_model(read_model_dsns: DatabaseDsns) -> AsyncIterator[Any]:
    pool = await _pool(read_model_dsns.projector)
    yield pool
    pool.terminate()


@pytest_asyncio.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = create_redis(
        RedisAddress(Secret(redis_url)),
        socket_timeout_seconds=30,
        connect_timeout_seconds=30,
        connections_max=4,
    )
    yield client
    await client.aclose()


View = Any
PROJECTION = "a_view"
"""Whatever view it is, so that tests can name it where it is stored."""


def table(read_model: Any, limits: ParkingLimits = DEFAULT_LIMITS, name: str = PRODUCT_VIEW.name) -> View:
    tables = TABLES[name].make_tables
    return PostgresView(read_model, tables(), projection=PROJECTION, topic="t", limits=limits)


def cache(redis: Redis, read_model: Any, limits: ParkingLimits = DEFAULT_LIMITS) -> View:
    documents = CachedProducts(redis, ProductKeys("t"), ttl_seconds=60, tombstone_ttl_seconds=30)
    return RedisProductCache(documents, partial(parking_alone, read_model, PROJECTION, limits))


def make_view(name: str, read_model: Any, redis: Redis, limits: ParkingLimits = DEFAULT_LIMITS) -> View:
    return cache(redis, read_model, limits) if name == PRODUCT_CACHE.name else table(read_model, limits, name)


def fold_of(view: View) -> Fold[Any]:
    """The one that it is fed by."""
    if isinstance(view, RedisProductCache):
        return DOCUMENTS
    return next(one.fold for one in TABLES.values() if type(view._tables) is one.make_tables)


@pytest.fixture(params=VIEWS_OF_EVERY_TYPE)
def view_of_every_type(request: pytest.FixtureRequest, read_model: Any, redis: Redis) -> View:
    return make_view(request.param, read_model, redis)


async def _pool(dsn: str) -> Any:
    return await create_pool(
        dsn, application_name="test", size_max=4, statement_timeout_seconds=30, connect_timeout_seconds=30
    )


class Feed(Deliveries):
    """One process over real servers."""

    def __init__(
        self, view: View, log: Log, lists: RedisListGenerations | None = None, *, read_model: Any
    ) -> None:
        fold, parked = fold_of(view), PostgresParkedProducts(read_model, projection=PROJECTION, topic="t")
        super().__init__(view, fold, Applier(view, fold, log.reading, parked, listener=lists))


@pytest_asyncio.fixture
async def owner(read_model_dsns: DatabaseDsns) -> AsyncIterator[Any]:
    """May change tables, which the projector may not."""
    connection = await asyncpg.connect(read_model_dsns.owner)
    yield connection
    await connection.close()


async def parked(read_model: Any) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await read_model.fetch(
        "SELECT * FROM views.parked_event ORDER BY parked_event_id"
    )
    return rows


ACTION = Action("ann", "retry", "mended")


class TestLog:
    """The log of the tests, under the id that their records carry."""

    __test__ = False

    def __init__(self, log: Log) -> None:
        self._log = log

    async def log_id(self) -> UUID:
        return LOG_ID

    async def newest_position(self) -> int:
        return await self._log.reading.newest_position()

    async def events_after(self, versions: Any) -> Any:
        return await self._log.reading.events_after(versions)


def retrying(view: View, log: Log, *, fold: Fold[Any] | None = None) -> Retry[Any]:
    return Retry(view, fold or fold_of(view), TestLog(log), read_one)
