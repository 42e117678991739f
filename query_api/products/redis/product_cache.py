"""Documents and pointers in Redis.

`<prefix>:product:<id>` (or `product.<generation>`, see `shared/redis/product_keys.py`) holds a packed
document, written by the projector and by fills, always guarded by its version. `<prefix>:sku:<sku>` and
`<prefix>:slug:<slug>` hold a product id (16 bytes) for a short time.
"""

import asyncio
from asyncio import Future
from uuid import UUID

from redis.asyncio import Redis

from query_api.errors import CacheUnavailable
from query_api.products.ports import PointerKind, ProductRow
from query_api.products.redis.cache_reads import CacheReads
from query_api.products.redis.guarded_calls import GuardedCalls
from shared.contract.cached_document import pack
from shared.ops.metrics.reads import CACHE_FILLS
from shared.redis.guarded_documents import SETTLING_SECONDS, GuardedDocuments, RegisterScript
from shared.redis.product_keys import GenerationFrozen, GenerationMoved, KeyGroups

# Older than every version, so that any guarded write replaces it.
ABSENT_VERSION = 0
_MILLISECONDS = 1000
_UUID_BYTES = 16
_stored, _older, _failed = (CACHE_FILLS.labels(result) for result in ("stored", "older", "failed"))


class RedisProductCache:
    """Adapter of `ProductCache`. Times to live are in seconds; `register_script` as in `GuardedDocuments`."""

    def __init__(
        self,
        redis: Redis,
        calls: GuardedCalls,
        documents: CacheReads,
        glances: CacheReads,
        pointers: CacheReads,
        *,
        keys: KeyGroups,
        prefix: str,
        document_ttl_seconds: float,
        absent_ttl_seconds: float,
        pointer_ttl_seconds: float,
        settling_seconds: float = SETTLING_SECONDS,
        fills_max: int,
        register_script: RegisterScript | None = None,
    ) -> None:
        self._redis = redis
        self._calls = calls
        self._documents = documents
        self._glances = glances
        self._pointers = pointers
        self._prefix = prefix

        def guarded(seconds: float) -> GuardedDocuments:
            return GuardedDocuments(
                redis, keys, ttl_seconds=seconds, settling_seconds=settling_seconds, register=register_script
            )

        self._fills = guarded(document_ttl_seconds)
        # The cache may have lost a newer one that the replica does not have yet.
        self._fills_of_replicas = guarded(min(document_ttl_seconds, settling_seconds))
        self._absences = guarded(absent_ttl_seconds)
        self._fills_at_once = asyncio.Semaphore(fills_max)
        self._pointer_ttl_milliseconds = int(pointer_ttl_seconds * _MILLISECONDS)

    def read(self, product_id: str) -> "Future[bytes | None]":
        return self._documents.get(product_id)

    def glance(self, product_id: str) -> "Future[bytes | None]":
        return self._glances.get(product_id)

    async def fill(self, row: ProductRow) -> bool:
        fills = self._fills_of_replicas if row.may_be_old else self._fills
        return await self._fill(fills, row.product_id, pack(row.stream_version, row.body))

    async def fill_absent(self, product_id: UUID) -> None:
        await self._fill(self._absences, product_id, pack(ABSENT_VERSION, None))

    async def pointer(self, kind: PointerKind, value: str) -> UUID | None:
        """An id has 16 bytes; any other value is not ours and counts as absent."""
        pointer = await self._pointers.get(self._pointer_key(kind, value))
        return UUID(bytes=pointer) if pointer is not None and len(pointer) == _UUID_BYTES else None

    async def point(self, kind: PointerKind, value: str, product_id: UUID) -> None:
        key = self._pointer_key(kind, value)
        await self._calls.run(
            lambda: self._redis.set(key, product_id.bytes, px=self._pointer_ttl_milliseconds)
        )

    async def _fill(self, documents: GuardedDocuments, product_id: UUID, value: bytes) -> bool:
        try:
            async with self._fills_at_once:
                stored = await self._calls.run(lambda: _store(documents, product_id, value))
        except CacheUnavailable:
            _failed.inc()
            raise
        (_stored if stored else _older).inc()
        return stored > 0

    def _pointer_key(self, kind: PointerKind, value: str) -> str:
        return f"{self._prefix}:{kind}:{value}"


async def _store(documents: GuardedDocuments, product_id: UUID, value: bytes) -> int:
    """1 if it was stored. Gives up a fill during a switch: the next reader fills the new generation."""
    try:
        return await documents.store({product_id: value})
    except (GenerationMoved, GenerationFrozen):
        return 0
