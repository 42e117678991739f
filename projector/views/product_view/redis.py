"""Makes cached lists stale: raises the counters that are part of their keys.

After the view's commit, never before it, or a list could be filled with old rows under the new generation.
"""

import time
from collections.abc import Collection, Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError

from projector.applying.ports import Change
from projector.stores import Stores
from shared.contract.addresses import list_generation_key, top_category
from shared.contract.views import ProductDocument
from shared.ops.breaker import CircuitBreaker
from shared.ops.error_text import named
from shared.ops.logs import get_logger
from shared.redis.list_generations import first_number

_OPEN_SECONDS = 5.0
# Without a limit, an outage of Redis would collect every category.
PENDING_CATEGORIES_MAX = 10_000
_log = get_logger(__name__)


def list_generations(stores: Stores) -> "RedisListGenerations":
    """With a client of its own, because its time-out is far shorter."""
    settings = stores.settings
    client = stores.redis(settings.list_generation_timeout_seconds)
    return RedisListGenerations(client, key_prefix=settings.redis_key_prefix)


class RedisListGenerations:
    """A `Listener`: one pipeline for each batch; counters that failed go with the next one."""

    def __init__(self, redis: Redis, *, key_prefix: str) -> None:
        self._redis = redis
        self._key_prefix = key_prefix
        self._breaker = CircuitBreaker(failures_max=1, open_seconds=_OPEN_SECONDS)
        self._pending: set[str] = set()

    async def changed(self, changes: Sequence[Change[ProductDocument]]) -> None:
        """Lists of all products, and of the categories that these products left, entered, or changed in."""
        documents = (one for change in changes for one in (change.before, change.after) if one is not None)
        await self.bump({top for top in (top_category(one.category) for one in documents) if top})

    async def bump(self, top_categories: Collection[str]) -> None:
        """Never raises for an outage of Redis: a missed list expires soon by itself."""
        if len(self._pending) < PENDING_CATEGORIES_MAX:
            self._pending.update(top_categories)
        if not self._breaker.allows(time.monotonic()):
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for category in (None, *self._pending):
                    key = list_generation_key(self._key_prefix, category)
                    pipeline.set(key, first_number(), nx=True)
                    pipeline.incr(key)
                await pipeline.execute()
        except (RedisError, OSError) as error:
            self._breaker.record_failure(time.monotonic())
            _log.warning("cached lists not marked as stale", error=named(error))
            return
        self._breaker.record_success()
        self._pending.clear()
