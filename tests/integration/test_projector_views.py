"""One suite over all views: whatever Kafka delivers, and how often, the view is the fold of the log."""

import random
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

import projector
from projector.applying.apply import Applied, Projection
from projector.applying.batch import Item
from projector.applying.ports import Fold
from projector.applying.postgres import PostgresEventLog
from projector.errors import Fenced
from projector.kafka.records import read_one
from projector.parking.postgres.parking import (
    DEFAULT_LIMITS,
    ParkingLimits,
    PostgresParkedProducts,
    parking_alone,
)
from projector.projections import DOCUMENTS, PRODUCT_CACHE, PRODUCT_VIEW, TABLES
from projector.views.postgres.view import PostgresView
from projector.views.product_cache.redis.documents import CachedProducts
from projector.views.product_cache.redis.view import RedisProductCache
from projector.views.product_view.redis import RedisListGenerations
from shared.contract import events as e
from shared.contract.addresses import list_generation_key
from shared.contract.recorded_event import RecordedEvent
from shared.postgres.pool import create_pool
from shared.redis.client import create_redis
from shared.redis.product_keys import ProductKeys
from tests.servers import DatabaseDsns
from tests.unit.projector.histories import created, history, new_product_id, priced, random_history
from tests.unit.projector.records import LOG_ID, UNKNOWN, folded, record_of

pytestmark = pytest.mark.servers
PROJECTOR = Path(projector.__file__).parent
SQL_FILES = {
    file.relative_to(PROJECTOR).with_suffix("").as_posix(): file
    for file in PROJECTOR.rglob("*.sql")
    if file.parent.name not in ("migrations", "functions")
}


class Log:
    """The real log, written by its owner, read as the projector reads it."""

    def __init__(self, owner: asyncpg.Connection, reading: PostgresEventLog) -> None:
        self.reading = reading
        self._owner = owner

    async def keep(self, events: Sequence[RecordedEvent]) -> None:
        await self._owner.executemany(
            "INSERT INTO catalogue.events (position, product_id, stream_version, event_type, schema_version,"
            " data, metadata, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            [
                (*msgspec.structs.astuple(one)[:6], msgspec.json.encode(one.metadata), one.recorded_at)
                for one in events
            ],
        )


@pytest_asyncio.fixture
async def log(event_store_dsns: DatabaseDsns) -> AsyncIterator[Log]:
    owner = await asyncpg.connect(event_store_dsns.owner)
    pool = await _pool(event_store_dsns.reader)
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
    client = create_redis(redis_url, socket_timeout_seconds=2, connect_timeout_seconds=2, connections_max=4)
    yield client
    await client.aclose()


View = Any
PROJECTION = "a_view"
"""Whatever view it is, so that tests can name it where it is stored."""
EVERY_TYPE = (PRODUCT_VIEW, PRODUCT_CACHE, "analytics")
"""Views that use all types there are: what is broken is broken for them."""


def table(read_model: Any, limits: ParkingLimits = DEFAULT_LIMITS, name: str = PRODUCT_VIEW) -> View:
    tables, _ = TABLES[name]
    return PostgresView(read_model, tables(), projection=PROJECTION, topic="t", limits=limits)


def cache(redis: Redis, read_model: Any, limits: ParkingLimits = DEFAULT_LIMITS) -> View:
    documents = CachedProducts(redis, ProductKeys("t"), ttl_seconds=60, tombstone_ttl_seconds=30)
    return RedisProductCache(documents, partial(parking_alone, read_model, PROJECTION, limits))


def make_view(name: str, read_model: Any, redis: Redis, limits: ParkingLimits = DEFAULT_LIMITS) -> View:
    return cache(redis, read_model, limits) if name == PRODUCT_CACHE else table(read_model, limits, name)


def fold_of(view: View) -> Fold[Any]:
    """The one that it is fed by."""
    if isinstance(view, RedisProductCache):
        return DOCUMENTS
    return next(fold for tables, fold in TABLES.values() if type(view._tables) is tables)


@pytest.fixture(params=[*TABLES, PRODUCT_CACHE])
def view(request: pytest.FixtureRequest, read_model: Any, redis: Redis) -> View:
    return make_view(request.param, read_model, redis)


@pytest.fixture(params=EVERY_TYPE)
def view_of_every_type(request: pytest.FixtureRequest, read_model: Any, redis: Redis) -> View:
    return make_view(request.param, read_model, redis)


async def _pool(dsn: str) -> Any:
    return await create_pool(
        dsn, application_name="test", size_max=4, statement_timeout_seconds=10, connect_timeout_seconds=5
    )


class Feed:
    """Delivers events to a projection as Kafka would: offsets rise, whatever the events are."""

    def __init__(
        self,
        view: View,
        log: Log,
        lists: RedisListGenerations | None = None,
        *,
        read_model: Any,
        **more: Any,
    ) -> None:
        self.view = view
        self.fold = fold_of(view)
        self.read_model = read_model
        parked = PostgresParkedProducts(read_model, projection=PROJECTION, topic="t")
        self.projection = Projection(view, self.fold, log.reading, parked, listener=lists, **more)
        self.offset = 0

    async def deliver(self, *events: RecordedEvent, isolate: bool = False) -> Applied:
        records = [record_of(event, offset) for offset, event in enumerate(events, start=self.offset)]
        return await self.deliver_records(*records, isolate=isolate)

    async def deliver_records(self, *records: Any, isolate: bool = False) -> Applied:
        batch: list[Item] = [read_one(record, LOG_ID) for record in records]
        applied = await self.projection.apply(batch, isolate=isolate)
        self.offset = records[-1].offset + 1
        return applied

    async def shows(self, product_id: UUID) -> tuple[int, Any] | None:
        """(version, what is kept of it) as it stands in the view."""
        async with self.view.begin({}) as writer:
            return (await writer.held([product_id])).get(product_id)

    def folded(self, events: Sequence[RecordedEvent]) -> tuple[int, Any]:
        """What it must show after these events."""
        return folded(events, self.fold)


async def test_an_unknown_type_alone_moves_the_version_so_no_gap_follows(
    view: View, log: Log, read_model: Any
) -> None:
    events = history(new_product_id(), created(), e.ProductPublished(), priced("3.00"))
    events[1] = msgspec.structs.replace(events[1], event_type=UNKNOWN)
    feed = Feed(view, log, read_model=read_model)
    for one in events:
        applied = await feed.deliver(one)
        assert not applied.letters
        assert await feed.shows(one.product_id) == feed.folded(events[: one.stream_version])
    assert {result for _, result in applied.tally} <= {"applied", "skipped"}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories=st.lists(random_history(), min_size=1, max_size=4), seed=st.integers(0, 2**32))
async def test_any_interleaving_with_duplicates_and_losses_ends_as_the_fold_of_the_log(
    view: View,
    log: Log,
    read_model: Any,
    histories: Sequence[Sequence[e.ProductEvent]],
    seed: int,
) -> None:
    chance = random.Random(seed)
    streams = []
    for happened in histories:
        streams.append(history(new_product_id(), *happened))
        await log.keep(streams[-1])
    feed = Feed(view, log, read_model=read_model)
    if isinstance(view, PostgresView):
        feed.offset = 1 + max((point.next_offset for point in (await view.load([0])).values()), default=0)
    deliveries = [one for stream in streams for one in stream]
    deliveries += chance.choices(deliveries, k=len(deliveries) // 2)
    chance.shuffle(deliveries)
    # What is lost on the way is never the newest version: that one would be no gap, just not there yet.
    newest = {stream[-1].metadata.event_id for stream in streams}
    kept = [one for one in deliveries if one.metadata.event_id in newest or chance.random() < 0.7]
    while kept:
        size = chance.randint(1, 5)
        applied = await feed.deliver(*kept[:size])
        assert not applied.letters
        kept = kept[size:]
    for stream in streams:
        assert await feed.shows(stream[0].product_id) == feed.folded(stream)


async def test_two_instances_on_one_partition_fence_each_other(read_model: Any, log: Log) -> None:
    first = Feed(table(read_model), log, read_model=read_model)
    second = Feed(table(read_model), log, read_model=read_model)
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    await first.deliver(events[0])
    await second.view.load([0])
    second.offset = 1
    await second.deliver(events[1])
    with pytest.raises(Fenced):
        await first.deliver(events[1])
    assert await first.shows(events[0].product_id) == first.folded(events[:2])
    assert (await first.view.load([0]))[0].next_offset == 2
    first.offset = 2
    await first.deliver(events[2])
    assert await first.shows(events[0].product_id) == first.folded(events)


async def test_a_price_change_touches_the_variant_rows_of_that_sku_only(read_model: Any, log: Log) -> None:
    feed = Feed(table(read_model), log, read_model=read_model)
    events = history(
        new_product_id(),
        created(),
        e.VariantAdded("S-2", {}, e.Money("2.00", "USD")),
        priced("3.00"),
        e.VariantRemoved("S-2"),
    )
    await feed.deliver(*events[:2])
    sql = "SELECT sku, currency, amount::text, xmin::text FROM views.product_view_variant ORDER BY sku"
    before = await read_model.fetch(sql)
    await feed.deliver(events[2])
    after = await read_model.fetch(sql)
    assert [row["amount"] for row in after] == ["3.00", "2.00"]
    assert after[1]["xmin"] == before[1]["xmin"]
    await feed.deliver(events[3])
    assert [row["sku"] for row in await read_model.fetch(sql)] == ["S-1"]


async def test_lists_of_the_category_left_and_the_category_entered_become_stale(
    read_model: Any, log: Log, redis: Redis
) -> None:
    lists = RedisListGenerations(redis, key_prefix="t")
    feed = Feed(table(read_model), log, lists, read_model=read_model)
    events = history(
        new_product_id(), created(category="apparel/shirts"), e.ProductDetailsChanged(category="home")
    )
    await feed.deliver(events[0])
    await feed.deliver(events[1])
    await feed.deliver(events[1])
    generations = [
        await redis.get(list_generation_key("t", name)) for name in (None, "apparel", "home", "other")
    ]
    assert generations == [b"2", b"2", b"1", None]


async def test_a_table_is_written_although_redis_is_away(read_model: Any, log: Log) -> None:
    nowhere = create_redis(
        "redis://127.0.0.1:1/0", socket_timeout_seconds=0.1, connect_timeout_seconds=0.1, connections_max=1
    )
    lists = RedisListGenerations(nowhere, key_prefix="t")
    feed, events = (
        Feed(table(read_model), log, lists, read_model=read_model),
        history(new_product_id(), created()),
    )
    await feed.deliver(*events)
    assert await feed.shows(events[0].product_id) == feed.folded(events)
    await nowhere.aclose()


async def test_a_document_lost_from_redis_comes_back_whole_with_the_next_event_and_as_new_as_the_log(
    redis: Redis, log: Log, read_model: Any
) -> None:
    feed = Feed(cache(redis, read_model), log, read_model=read_model)
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"), e.ProductPublished())
    await log.keep(events)
    await feed.deliver(*events)
    await redis.flushdb()
    await feed.deliver(events[1])
    assert await feed.shows(events[0].product_id) == feed.folded(events)


async def test_a_document_that_no_longer_decodes_is_rebuilt_from_the_log(
    redis: Redis, log: Log, read_model: Any
) -> None:
    feed = Feed(cache(redis, read_model), log, read_model=read_model)
    events = history(new_product_id(), created(), priced("2.00"))
    await log.keep(events)
    await redis.set(f"t:product:{events[0].product_id}", b'0000000000000001L{"of": "an older shape"}')
    await feed.deliver(events[1])
    assert await feed.shows(events[0].product_id) == feed.folded(events)


@pytest.mark.parametrize("name", sorted(SQL_FILES))
async def test_each_statement_fits_the_migrated_schema_and_its_role(
    name: str, read_model_dsns: DatabaseDsns, event_store_dsns: DatabaseDsns
) -> None:
    text = SQL_FILES[name].read_text(encoding="utf-8")
    dsn = event_store_dsns.reader if "catalogue." in text else read_model_dsns.projector
    connection = await asyncpg.connect(dsn)
    try:
        assert await connection.prepare(text)
        arguments = {f"${number}" for number in range(1, 18) if f"${number}" in text}
        await connection.execute(f"EXPLAIN {text}", *[None] * len(arguments))
    finally:
        await connection.close()
