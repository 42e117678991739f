"""What `make chaos` found: old records after a flush of Redis."""

from typing import Any

import pytest
from redis.asyncio import Redis

from shared.contract import events as e
from tests.integration.view_world import Feed, Log, cache, log, read_model, redis
from tests.unit.projector.histories import created, history, new_product_id, priced
from tests.unit.projector.records import folded

pytestmark = pytest.mark.servers
__all__ = ["log", "read_model", "redis"]


async def test_a_document_lost_from_redis_does_not_come_back_as_it_was_when_old_records_are_repeated(
    redis: Redis, log: Log, read_model: Any
) -> None:
    feed = Feed(cache(redis, read_model), log, read_model=read_model)
    events = history(new_product_id(), created(), priced("2.00"), e.ProductPublished(), e.ProductDeleted())
    await log.keep(events)
    await feed.deliver(*events)
    await redis.flushdb()
    await feed.deliver(*events[:2])
    assert await feed.shows(events[0].product_id) == folded(events)


async def test_nor_when_a_process_starts_between_the_loss_and_the_repetition(
    redis: Redis, log: Log, read_model: Any
) -> None:
    before = Feed(cache(redis, read_model), log, read_model=read_model)
    events = history(new_product_id(), created(), priced("2.00"), priced("3.00"))
    await log.keep(events)
    await before.deliver(*events)
    await redis.flushdb()
    after = Feed(cache(redis, read_model), log, read_model=read_model)
    await after.projection.place([0])
    await after.deliver(events[0])
    assert await after.shows(events[0].product_id) == folded(events)


async def test_a_new_product_costs_no_look_at_the_log(redis: Redis, log: Log, read_model: Any) -> None:
    """The log here lacks it: a look would end in `Unavailable`."""
    feed = Feed(cache(redis, read_model), log, read_model=read_model)
    await feed.projection.place([0])
    events = history(new_product_id(), created(), priced("2.00"), first_position=1_000_000)
    await feed.deliver(*events)
    assert await feed.shows(events[0].product_id) == folded(events)
