"""The documents that the hot read answers with, written as events arrive: a reader's fill is the exception.

No checkpoint stands here, because Redis may lose it without a word while Kafka keeps ours: the group's
committed offset is the position, and every write is guarded by the document's version.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec
from redis.asyncio import Redis

from projector.ports import Change, Checkpoint, Held
from projector.redis.failures import translated
from shared.contract.addresses import product_key
from shared.contract.cached_document import pack, unpack
from shared.contract.views import decode_document, encode_document
from shared.redis.guarded_documents import KEYS_PER_CALL_MAX, GuardedDocuments


class RedisProductCache:
    """Implements `ports.View` and, since nothing is open between its calls, `ports.BatchWriter` too."""

    def __init__(
        self, redis: Redis, *, key_prefix: str, ttl_seconds: float, tombstone_ttl_seconds: float
    ) -> None:
        self._redis = redis
        self._key_prefix = key_prefix
        self._live = GuardedDocuments(redis, ttl_seconds=ttl_seconds)
        self._tombstones = GuardedDocuments(redis, ttl_seconds=tombstone_ttl_seconds)

    async def load(self, partitions: Collection[int]) -> Mapping[int, Checkpoint]:
        """None: Kafka's committed offsets are the position."""
        return {}

    @asynccontextmanager
    async def begin(self, reached: Mapping[int, Checkpoint]) -> AsyncIterator["RedisProductCache"]:
        """No transaction: writing a prefix twice changes nothing."""
        yield self

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held]:
        """What is cached; what cannot be read counts as lost and is loaded from the log."""
        wanted = list(product_ids)
        found: dict[UUID, Held] = {}
        for start in range(0, len(wanted), KEYS_PER_CALL_MAX):
            some = wanted[start : start + KEYS_PER_CALL_MAX]
            with translated():
                values = await self._redis.mget([product_key(self._key_prefix, one) for one in some])
            for product_id, value in zip(some, values, strict=True):
                held = _held(value)
                if held is not None:
                    found[product_id] = held
        return found

    async def save(self, changes: Sequence[Change]) -> None:
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


def _held(value: bytes | str | None) -> Held | None:
    if not isinstance(value, bytes):
        return None
    try:
        cached = unpack(value)
        return Held(cached.stream_version, None if cached.is_deleted else decode_document(cached.body))
    except (ValueError, msgspec.MsgspecError):
        return None
