"""The documents that the hot read answers with, written as events arrive: a reader's fill is the exception.

No checkpoint stands here, because Redis may lose it without a word while Kafka keeps ours: the group's
committed offset is the position, and every write is guarded by the document's version. What is parked is kept
in PostgreSQL, like every view's, in a transaction that ends after the documents are written.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from uuid import UUID

import msgspec
from redis.asyncio import Redis

from projector.ports import Action, Change, Checkpoint, ErrorClass, Held, Letter, ParkedEvent, Parking
from projector.redis.failures import translated
from shared.contract.addresses import product_key
from shared.contract.cached_document import pack, unpack
from shared.contract.views import ProductDocument, decode_document, encode_document
from shared.redis.guarded_documents import KEYS_PER_CALL_MAX, GuardedDocuments

OpenParking = Callable[[], AbstractAsyncContextManager[Parking]]
"""Begins a transaction of its own in which letters are parked; committed when its block ends well."""


class RedisProductCache:
    """Implements `ports.View`."""

    def __init__(
        self,
        redis: Redis,
        open_parking: OpenParking,
        *,
        key_prefix: str,
        ttl_seconds: float,
        tombstone_ttl_seconds: float,
    ) -> None:
        self._redis = redis
        self.open_parking = open_parking
        self._key_prefix = key_prefix
        self._live = GuardedDocuments(redis, ttl_seconds=ttl_seconds)
        self._tombstones = GuardedDocuments(redis, ttl_seconds=tombstone_ttl_seconds)

    async def load(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        """None: Kafka's committed offsets are the position."""
        return {}

    @asynccontextmanager
    async def begin(self, reached: Mapping[int, Checkpoint]) -> AsyncIterator["_Batch"]:
        """No transaction in Redis: writing a prefix twice changes nothing."""
        async with AsyncExitStack() as stack:
            yield _Batch(self, stack)

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[ProductDocument]]:
        """What is cached; what cannot be read counts as lost and is loaded from the log."""
        wanted = list(product_ids)
        found: dict[UUID, Held[ProductDocument]] = {}
        for start in range(0, len(wanted), KEYS_PER_CALL_MAX):
            some = wanted[start : start + KEYS_PER_CALL_MAX]
            with translated():
                values = await self._redis.mget([product_key(self._key_prefix, one) for one in some])
            for product_id, value in zip(some, values, strict=True):
                held = _held(value)
                if held is not None:
                    found[product_id] = held
        return found

    async def save(self, changes: Sequence[Change[ProductDocument]]) -> None:
        """Guarded writes. Tombstones go first: a write that fails halfway must not resurrect anything."""
        live, deleted = {}, {}
        for change in changes:
            key = product_key(self._key_prefix, change.product_id)
            if change.after is None:
                deleted[key] = pack(change.stream_version, None)
            else:
                live[key] = pack(change.stream_version, encode_document(change.after))
        with translated():
            await self._tombstones.store(deleted)
            await self._live.store(live)


class _Batch:
    """`BatchWriter`: the parking transaction is opened only where there is something to park or to lock."""

    def __init__(self, cache: RedisProductCache, stack: AsyncExitStack) -> None:
        self.held = cache.held
        self.save = cache.save
        self._cache = cache
        self._stack = stack
        self._parking: Parking | None = None

    async def still_parked(self, product_ids: Collection[UUID]) -> set[UUID]:
        return await (await self._open()).still_parked(product_ids)

    async def park(self, letters: Sequence[Letter]) -> None:
        await (await self._open()).park(letters)

    async def parked(self, product_id: UUID) -> Sequence[ParkedEvent]:
        return await (await self._open()).parked(product_id)

    async def parked_one(self, parked_event_id: int) -> ParkedEvent | None:
        return await (await self._open()).parked_one(parked_event_id)

    async def release(self, events: Sequence[ParkedEvent], action: Action) -> int:
        return await (await self._open()).release(events, action)

    async def failed_again(self, product_id: UUID, error_class: ErrorClass, cause: str) -> None:
        await (await self._open()).failed_again(product_id, error_class, cause)

    async def failed_alone(self, parked_event_id: int, error_class: ErrorClass, cause: str) -> None:
        await (await self._open()).failed_alone(parked_event_id, error_class, cause)

    async def _open(self) -> Parking:
        if self._parking is None:
            self._parking = await self._stack.enter_async_context(self._cache.open_parking())
        return self._parking


def _held(value: bytes | str | None) -> Held[ProductDocument] | None:
    if not isinstance(value, bytes):
        return None
    try:
        cached = unpack(value)
        return Held(cached.stream_version, None if cached.is_deleted else decode_document(cached.body))
    except (ValueError, msgspec.MsgspecError):
        return None
