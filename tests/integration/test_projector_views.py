"""One suite over all views: whatever Kafka delivers, and how often, the view is the fold of the log."""

import random
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from projector.errors import Fenced
from projector.projections import PRODUCT_CACHE
from projector.views.postgres.view import PostgresView
from projector.views.product_view.redis import RedisListGenerations
from shared.contract import events as e
from shared.contract.addresses import list_generation_key
from shared.ops.secret import Secret
from shared.redis.address import RedisAddress
from shared.redis.client import create_redis
from tests.integration.view_world import Feed, Log, View, cache, log, make_view, read_model, redis, table
from tests.table_projections import TABLES
from tests.unit.projector.histories import created, history, new_product_id, priced, random_history
from tests.unit.projector.records import UNKNOWN

__all__ = ["log", "read_model", "redis"]
pytestmark = pytest.mark.servers


@pytest.fixture(params=[*TABLES, PRODUCT_CACHE.name])
def view(request: pytest.FixtureRequest, read_model: Any, redis: Redis) -> View:
    return make_view(request.param, read_model, redis)


async def test_an_unknown_type_alone_moves_the_version_so_no_gap_follows(
    view: View, log: Log, read_model: Any
) -> None:
    events = history(new_product_id(), created(), e.ProductPublished(), priced("3.00"))
    events[1] = msgspec.structs.replace(events[1], event_type=UNKNOWN)
    feed = Feed(view, log, read_model=read_model)
    for one in events:
        applied = await feed.deliver(one)
        assert not applied.dead_letters
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
        feed.offset = 1 + max(
            (point.next_offset for point in (await view.checkpoints([0])).values()), default=0
        )
    deliveries = [one for stream in streams for one in stream]
    deliveries += chance.choices(deliveries, k=len(deliveries) // 2)
    chance.shuffle(deliveries)
    # What is lost on the way is never the newest version: that one would be no gap, just not there yet.
    newest = {stream[-1].metadata.event_id for stream in streams}
    kept = [one for one in deliveries if one.metadata.event_id in newest or chance.random() < 0.7]
    while kept:
        size = chance.randint(1, 5)
        applied = await feed.deliver(*kept[:size])
        assert not applied.dead_letters
        kept = kept[size:]
    for stream in streams:
        assert await feed.shows(stream[0].product_id) == feed.folded(stream)


async def test_two_instances_on_one_partition_fence_each_other(read_model: Any, log: Log) -> None:
    first = Feed(table(read_model), log, read_model=read_model)
    second = Feed(table(read_model), log, read_model=read_model)
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    await first.deliver(events[0])
    await second.view.checkpoints([0])
    second.offset = 1
    await second.deliver(events[1])
    with pytest.raises(Fenced):
        await first.deliver(events[1])
    assert await first.shows(events[0].product_id) == first.folded(events[:2])
    assert (await first.view.checkpoints([0]))[0].next_offset == 2
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
    all_lists, apparel, home, other = await _numbers(redis)
    assert min(all_lists, apparel) > 0 == home == other
    await feed.deliver(events[1])
    await feed.deliver(events[1])
    left = await _numbers(redis)
    assert left[:2] == [all_lists + 1, apparel + 1]
    assert left[2] > 0 == left[3]


async def test_lists_that_redis_has_lost_never_come_to_an_old_number(redis: Redis) -> None:
    lists = RedisListGenerations(redis, key_prefix="t")
    for _ in range(3):
        await lists.bump({"apparel"})
    before = await _numbers(redis)
    await redis.flushdb()
    await lists.bump({"apparel"})
    after = await _numbers(redis)
    assert after[0] > before[0]
    assert after[1] > before[1]


async def _numbers(redis: Redis) -> list[int]:
    names = (None, "apparel", "home", "other")
    return [int(await redis.get(list_generation_key("t", name)) or 0) for name in names]


async def test_a_table_is_written_although_redis_is_away(read_model: Any, log: Log) -> None:
    nowhere = create_redis(
        RedisAddress(Secret("redis://127.0.0.1:1/0")),
        socket_timeout_seconds=0.1,
        connect_timeout_seconds=0.1,
        connections_max=1,
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
