"""When the cache began again without documents, and why: for operators."""

from datetime import UTC, datetime
from typing import cast

from msgspec import Struct
from redis.asyncio import Redis

from projector.views.product_cache.redis.failures import translated
from shared.contract.addresses import cache_checkpoint_key


class CacheBeginning(Struct, frozen=True):
    """`reason` as in `cache_started_anew_total`."""

    at: datetime
    reason: str


async def last_beginning(redis: Redis, key_prefix: str) -> CacheBeginning | None:
    """None: it began as an empty one. Raises `Unavailable`."""
    with translated():
        found = await redis.hmget(cache_checkpoint_key(key_prefix), ["epoch", "reason"])
    epoch, reason = cast("list[bytes | None]", found)
    if epoch is None or reason is None:
        return None
    # An epoch is the time of the beginning, or a little above it.
    return CacheBeginning(datetime.fromtimestamp(int(epoch) / 1000, UTC), reason.decode())
