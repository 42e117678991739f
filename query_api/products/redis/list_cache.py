"""Keeps pages of lists in Redis for seconds, under a generation.

`addresses.list_generation_key` is a counter per top-level category (and one for all) that the projector
increases after it has written the view. A page is stored under the generation that was read BEFORE its query,
so a page with old rows can only be stored under an old generation.
"""

from redis.asyncio import Redis

from query_api.products.redis.cache_reads import CacheReads
from query_api.products.redis.guarded_calls import GuardedCalls
from shared.contract.addresses import list_generation_key, top_category

_NO_GENERATION = b"0"


class RedisListCache:
    """Adapter of `ListCache`. `ttl_seconds` bounds the age of a page if its generation does not change."""

    def __init__(
        self, redis: Redis, calls: GuardedCalls, reads: CacheReads, *, prefix: str, ttl_seconds: int
    ) -> None:
        self._redis = redis
        self._calls = calls
        self._reads = reads
        self._prefix = prefix
        self._ttl_seconds = ttl_seconds

    async def generation(self, category: str | None) -> str:
        top = top_category(category)
        number = await self._reads.get(list_generation_key(self._prefix, top))
        return f"{top or '*'}:{(number or _NO_GENERATION).decode()}"

    async def read(self, generation: str, digest: str) -> bytes | None:
        return await self._reads.get(self._key(generation, digest))

    async def write(self, generation: str, digest: str, page: bytes) -> None:
        key = self._key(generation, digest)
        await self._calls.run(lambda: self._redis.set(key, page, ex=self._ttl_seconds))

    def _key(self, generation: str, digest: str) -> str:
        return f"{self._prefix}:lists:page:{generation}:{digest}"
