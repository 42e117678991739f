"""Documents and pointers in Redis.

`<prefix>:product:<id>` holds a packed document, written by the projector and by fills, always guarded by its
version. `<prefix>:sku:<sku>` and `<prefix>:slug:<slug>` hold a product id (16 bytes) for a short time.
"""

from asyncio import Future
from uuid import UUID

from redis.asyncio import Redis

from query_api.ports import PointerKind, ProductRow
from query_api.redis.coalesced_reads import CoalescedReads
from query_api.redis.guarded_calls import GuardedCalls
from shared.contract.addresses import product_key
from shared.contract.cached_document import pack
from shared.redis.guarded_documents import GuardedDocuments

# Older than every version there is, so that any guarded write replaces it.
ABSENT_VERSION = 0
_MILLISECONDS = 1000
_UUID_BYTES = 16


class RedisProductCache:
    """The port `ProductCache`. Times to live are in seconds."""

    def __init__(
        self,
        redis: Redis,
        calls: GuardedCalls,
        documents: CoalescedReads,
        pointers: CoalescedReads,
        *,
        prefix: str,
        document_ttl_seconds: float,
        absent_ttl_seconds: float,
        pointer_ttl_seconds: float,
    ) -> None:
        self._redis = redis
        self._calls = calls
        self._documents = documents
        self._pointers = pointers
        self._prefix = prefix
        self._key_prefix = product_key(prefix, "")
        self._fills = GuardedDocuments(redis, ttl_seconds=document_ttl_seconds)
        self._absences = GuardedDocuments(redis, ttl_seconds=absent_ttl_seconds)
        self._pointer_ttl_milliseconds = int(pointer_ttl_seconds * _MILLISECONDS)

    def read(self, product_id: str) -> "Future[bytes | None]":
        return self._documents.get(self._key_prefix + product_id)

    async def fill(self, row: ProductRow) -> None:
        key = product_key(self._prefix, row.product_id)
        value = pack(row.stream_version, row.body)
        await self._calls.run(lambda: self._fills.store({key: value}))

    async def fill_absent(self, product_id: UUID) -> None:
        key = product_key(self._prefix, product_id)
        await self._calls.run(lambda: self._absences.store({key: pack(ABSENT_VERSION, None)}))

    async def pointer(self, kind: PointerKind, value: str) -> UUID | None:
        """16 bytes; anything else is not ours and as good as nothing."""
        pointer = await self._pointers.get(self._pointer_key(kind, value))
        return UUID(bytes=pointer) if pointer is not None and len(pointer) == _UUID_BYTES else None

    async def point(self, kind: PointerKind, value: str, product_id: UUID) -> None:
        key = self._pointer_key(kind, value)
        await self._calls.run(
            lambda: self._redis.set(key, product_id.bytes, px=self._pointer_ttl_milliseconds)
        )

    def _pointer_key(self, kind: PointerKind, value: str) -> str:
        return f"{self._prefix}:{kind}:{value}"
