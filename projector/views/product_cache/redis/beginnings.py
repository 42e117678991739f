"""When the cache began again without documents, and why: for operators."""

from datetime import UTC, datetime
from typing import cast

from msgspec import Struct
from redis.asyncio import Redis

from projector.views.product_cache.redis.failures import translated
from shared.redis.key_groups import key_groups
from shared.redis.together import together


class CacheBeginning(Struct, frozen=True):
    """`reason` as in `cache_started_anew_total`."""

    at: datetime
    reason: str


async def last_beginning(redis: Redis, key_prefix: str) -> CacheBeginning | None:
    """Of all or, on a cluster, of a part; None: it began as an empty one. Raises `Unavailable`."""
    groups = key_groups(redis, key_prefix).groups
    with translated():
        found = await together([_beginning(redis, keys.checkpoint_key) for keys in groups])
    return max((one for one in found if one is not None), key=lambda one: one.at, default=None)


async def _beginning(redis: Redis, checkpoint_key: str) -> CacheBeginning | None:
    epoch, reason = cast("list[bytes | None]", await redis.hmget(checkpoint_key, ["epoch", "reason"]))
    if epoch is None or reason is None:
        return None
    # An epoch is the time of the beginning, or a little above it.
    return CacheBeginning(datetime.fromtimestamp(int(epoch) / 1000, UTC), reason.decode())
