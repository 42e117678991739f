"""What `make chaos` found: old records after a flush of Redis."""

import pytest
from redis.asyncio import Redis

from projector.redis.product_cache import RedisProductCache
from shared.contract import events as e
from tests.integration.test_projector_views import Feed, Log, folded, log, redis
from tests.unit.projector.histories import created, history, new_product_id, priced

pytestmark = pytest.mark.servers
__all__ = ["log", "redis"]


@pytest.mark.xfail(
    reason="what begins with version 1 looks like a new product to a cache that has lost it", strict=True
)
async def test_a_document_lost_from_redis_does_not_come_back_as_it_was_when_old_records_are_repeated(
    redis: Redis, log: Log
) -> None:
    feed = Feed(RedisProductCache(redis, key_prefix="t", ttl_seconds=60, tombstone_ttl_seconds=30), log)
    events = history(new_product_id(), created(), priced("2.00"), e.ProductPublished(), e.ProductDeleted())
    await log.keep(events)
    await feed.deliver(*events)
    await redis.flushdb()
    await feed.deliver(*events[:2])
    assert await feed.shows(events[0].product_id) == folded(events)
