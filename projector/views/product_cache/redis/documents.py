"""Product documents in one generation of the cache: read, and overwritten by newer ones."""

from collections.abc import Collection, Mapping, Sequence
from typing import cast
from uuid import UUID

import msgspec
from redis.asyncio import Redis

from projector.applying.ports import Change, Held
from projector.views.product_cache.redis.failures import translated
from shared.contract.cached_document import pack, unpack
from shared.contract.views import ProductDocument, decode_document, encode_document
from shared.redis.guarded_documents import KEYS_PER_CALL_MAX, SETTLING_SECONDS, GuardedDocuments
from shared.redis.product_keys import KeyGroups, ProductKeys
from shared.redis.together import together


class CachedProducts:
    """`is_live` False: a generation that is being filled, whichever one is live."""

    def __init__(
        self,
        redis: Redis,
        keys: KeyGroups,
        *,
        ttl_seconds: float,
        tombstone_ttl_seconds: float,
        settling_seconds: float = SETTLING_SECONDS,
        is_live: bool = True,
    ) -> None:
        self.keys = keys
        self._redis = redis
        self._is_live = is_live
        self._live, self._tombstones = (
            GuardedDocuments(
                redis, keys, ttl_seconds=seconds, settling_seconds=settling_seconds, is_live=is_live
            )
            for seconds in (ttl_seconds, tombstone_ttl_seconds)
        )

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[ProductDocument]]:
        """The cached products; an unreadable document counts as lost and is made from the log."""
        wanted = list(product_ids)
        found: dict[UUID, Held[ProductDocument]] = {}
        for start in range(0, len(wanted), KEYS_PER_CALL_MAX):
            some = wanted[start : start + KEYS_PER_CALL_MAX]
            for product_id, value in zip(some, await self.values(some), strict=True):
                held = _held(value)
                if held is not None:
                    found[product_id] = held
        return found

    async def values(self, product_ids: Sequence[UUID]) -> Sequence[bytes | None]:
        """The packed documents, all of a group of one generation."""
        parts = self.keys.split(product_ids)
        with translated():
            values = await together([self._values(keys, ids) for keys, ids in parts])
        found = {
            one: value
            for (_, ids), some in zip(parts, values, strict=True)
            for one, value in zip(ids, some, strict=True)
        }
        return [found[product_id] for product_id in product_ids]

    async def _values(self, keys: ProductKeys, product_ids: Sequence[UUID]) -> Sequence[bytes | None]:
        while True:
            wanted = [keys.generation_key, *keys.of(product_ids)]
            live, *values = cast("Sequence[bytes | None]", await self._redis.mget(wanted))
            if not (self._is_live and keys.learn(live)):
                return values

    async def save(self, changes: Sequence[Change[ProductDocument]]) -> None:
        """Writes guarded by version. Tombstones first: a write that fails halfway brings no product back."""
        live, deleted = {}, {}
        for change in changes:
            if change.after is None:
                deleted[change.product_id] = pack(change.stream_version, None)
            else:
                live[change.product_id] = pack(change.stream_version, encode_document(change.after))
        with translated():
            await self._tombstones.store(deleted)
            await self._live.store(live)


def _held(value: bytes | None) -> Held[ProductDocument] | None:
    if not isinstance(value, bytes):
        return None
    try:
        cached = unpack(value)
        return Held(cached.stream_version, None if cached.is_deleted else decode_document(cached.body))
    except (ValueError, msgspec.MsgspecError):
        return None
