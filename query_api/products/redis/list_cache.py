"""Keeps pages of lists in Redis for seconds, under a generation.

`addresses.list_generation_key` is a counter per top-level category (and one for all) that the projector
increases after it has written the view. A page is stored under the generation that was read BEFORE its query,
so a page with old rows can only be stored under an old generation.
"""

from asyncio import Future
from typing import Any

from redis.asyncio import Redis

from query_api.errors import CacheUnavailable
from query_api.products.ports import ListGeneration
from query_api.products.redis.cache_reads import CacheReads
from query_api.products.redis.guarded_calls import GuardedCalls
from shared.contract.addresses import list_generation_key, top_category
from shared.redis.list_generations import first_number


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

    def number(self, category: str | None) -> "Future[bytes | None]":
        return self._reads.get(list_generation_key(self._prefix, top_category(category)))

    async def generation(self, category: str | None) -> ListGeneration:
        number = await self.number(category)
        if number is None:
            number = await self._calls.run(lambda: self._begin(category))
        if number is None:
            raise CacheUnavailable("a counter of lists was lost at once")
        return ListGeneration(top_category(category), number)

    async def read(self, generation: ListGeneration, digest: str) -> bytes | None:
        return await self._reads.get(self._key(generation, digest))

    async def write(self, generation: ListGeneration, digest: str, page: bytes) -> None:
        key = self._key(generation, digest)
        await self._calls.run(lambda: self._redis.set(key, page, ex=self._ttl_seconds))

    def _key(self, generation: ListGeneration, digest: str) -> str:
        number = generation.number.decode("ascii", "replace")
        return f"{self._prefix}:lists:page:{generation.category or '*'}:{number}:{digest}"

    async def _begin(self, category: str | None) -> bytes | None:
        """A counter for lists that have not changed since Redis lost its data, or ever."""
        key = list_generation_key(self._prefix, top_category(category))
        await self._redis.set(key, first_number(), nx=True)
        number: Any = await self._redis.get(key)
        return None if number is None else bytes(number)
