"""The next generation of the cache: filled beside the live one, compared with it, switched in one step.

Before the switch, writes are frozen for a moment, and the generation is brought to the end of the log, which
has everything that a projector can have written. Then one key is set. Writers and readers compare that key
(see `shared/redis/product_keys.py`). The progress is in PostgreSQL, as for every rebuild.

On a cluster each group of documents has a switch of its own. In between, and after a crash there, some groups
are live in the new generation and some in the old: both are right, and no product is in two groups.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from redis.asyncio import Redis

from projector.applying.ports import Change, Held
from projector.errors import CannotGoOn
from projector.rebuild.bulk_fold import Failed
from projector.rebuild.compared_documents import ProductIds
from projector.rebuild.ports import CacheRecords, CatchingUp, Comparison, Record
from projector.rebuild.redis.generations import Generations
from projector.rebuild.redis.shadow_comparison import compare
from projector.views.product_cache.redis.documents import CachedProducts
from projector.views.product_cache.redis.failures import translated
from shared.contract.cached_document import pack
from shared.contract.views import ProductDocument, encode_document
from shared.redis.bulk_filling import bulk_documents
from shared.redis.key_groups import key_groups
from shared.redis.product_keys import KeyGroups

_SWITCH_ATTEMPTS_MAX = 20
_PAUSE_SECONDS = 0.2
_LOST = (
    "Redis lost writes since the rebuild began, so that its documents may be old: drop it with `rebuild "
    "product_cache --cancel`, and begin again"
)
_OTHER_LAYOUT = (
    "the rebuild began while the cache was on another kind of Redis (a server, or a cluster): drop it with "
    "`rebuild product_cache --cancel`, and begin again"
)


class RedisShadow:
    """Implements `Shadow`. Times to live are in seconds."""

    def __init__(
        self,
        redis: Redis,
        records: CacheRecords[ProductDocument],
        product_ids: ProductIds,
        *,
        key_prefix: str,
        ttl_seconds: float,
        tombstone_ttl_seconds: float,
        settling_seconds: float,
    ) -> None:
        self._redis = redis
        self._records = records
        self._product_ids = product_ids
        self._key_prefix = key_prefix
        self._ttl_seconds = ttl_seconds
        self._tombstone_ttl_seconds = tombstone_ttl_seconds
        self._settling_seconds = settling_seconds
        self._generations = Generations(redis, key_prefix)
        self.next_generation = self._generations.reserve

    async def make(self) -> None:
        """A new generation is empty."""

    async def load(
        self,
        which: int,
        events: int,
        changes: Iterable[Change[ProductDocument]],
        failures: Mapping[UUID, Failed],
    ) -> None:
        """Deleted products get their tombstones in the catch-up: a late event must find them."""
        async with self._records.owned(is_long=True):
            # This would replace newer documents of another process that continued with this generation.
            keys = self._filled(await self._record())
            with translated():
                bulk = bulk_documents(self._redis, ttl_seconds=self._ttl_seconds)
                await bulk.store(_packed(keys, changes))
        await self._records.slice_loaded(which, events, failures)

    async def finish_loading(self) -> None:
        """A generation needs no indexes."""

    @asynccontextmanager
    async def begin(self, reached: int | None) -> AsyncIterator["_Writer"]:
        """First the documents, then the position."""
        record = await self._record()
        keys = self._filled(record)
        writer = _Writer(self._products(keys, is_live=False))
        yield writer
        marks = self._generations.move_marks
        if reached is not None and not await marks(keys, record.reached_position, reached):
            raise CannotGoOn(_LOST)
        await self._records.applied(reached, writer.failures)

    async def compare(self, catch_up: CatchingUp) -> Comparison:
        shadow = self._products(self._filled(await self._record()), is_live=False)
        live = self._products(key_groups(self._redis, self._key_prefix), is_live=True)
        return await compare(self._product_ids, live, shadow, catch_up.failed)

    async def switch(self, catch_up: CatchingUp) -> None:
        """A freeze that ran out is renewed.

        The replaced generations are stored before: after a crash in between, some groups are in this
        generation already, and keep what was stored for them.
        """
        record = await self._record()
        new = self._filled(record)
        stored = self._previous(record)
        live = await self._generations.live()
        if any(one != record.generation for one in live):
            previous = [
                one if one != record.generation or stored is None else before
                for one, before in zip(live, stored or live, strict=True)
            ]
            await self._records.replaces(record.phase, [{"previous": one} for one in previous])
            await self._switch_to(new, catch_up)
        await self._records.switched(self._products(new, is_live=True))

    async def switch_back(self, catch_up: CatchingUp) -> None:
        """The previous generation is brought to the end of the log first, because it was not updated."""
        record = await self._record()
        previous = self._previous(record)
        if previous is None:
            raise CannotGoOn("there is no previous generation of the cache to roll back to")
        self._filling = self._generations.of(previous)
        try:
            await self._switch_to(self._filling, catch_up)
        finally:
            self._filling = None

    async def drop(self) -> None:
        """In small steps, because Redis serves readers meanwhile."""
        record = await self._record()
        others = await self._generations.others(self._filled(record))
        if not others:
            # There was a crash between the switch and its record.
            raise CannotGoOn("the rebuilt generation is the live one already: use --resume")
        await self._generations.remove([keys for _, keys in others], self._records.owned)

    async def drop_previous(self) -> None:
        """If Redis was flushed, or a rollback was interrupted, the previous generation is the live one."""
        record = await self._records.read()
        previous = None if record is None else self._previous(record)
        if previous is not None:
            unused = await self._generations.others(self._generations.of(previous))
            await self._generations.remove([keys for _, keys in unused], self._records.owned)

    _filling: KeyGroups | None = None

    async def _record(self) -> Record:
        record = await self._records.read()
        if record is None:
            raise CannotGoOn("there is no record of a rebuild of the cache")
        return record

    def _filled(self, record: Record) -> KeyGroups:
        """What is being filled: the new generation or, for a rollback, the previous one of each group."""
        return self._filling or self._generations.same(record.generation)

    def _previous(self, record: Record) -> list[int] | None:
        """One of each group."""
        kept = json.loads(record.checkpoints)
        if kept and len(kept) != len(self._generations.groups):
            raise CannotGoOn(_OTHER_LAYOUT)
        return [int(one["previous"]) for one in kept] or None

    def _products(self, keys: KeyGroups, *, is_live: bool) -> CachedProducts:
        return CachedProducts(
            self._redis,
            keys,
            ttl_seconds=self._ttl_seconds,
            tombstone_ttl_seconds=self._tombstone_ttl_seconds,
            settling_seconds=self._settling_seconds,
            is_live=is_live,
        )

    async def _switch_to(self, new: KeyGroups, catch_up: CatchingUp) -> None:
        """All groups that are in another generation, at one position of the log: a rollback begins there."""
        generations, token = self._generations, uuid.uuid4().hex
        for _ in range(_SWITCH_ATTEMPTS_MAX):
            await catch_up.apply(await catch_up.newest())
            others = await generations.others(new)
            if await generations.freeze(others, token):
                async with self._records.owned():
                    await catch_up.apply(await catch_up.newest())
                    record = await self._record()
                    done = await generations.switch(others, token, record.reached_position, record.log_id)
                if all(one > 0 for one in done):
                    return
                if any(one < 0 for one in done):
                    raise CannotGoOn(_LOST)
            await asyncio.sleep(_PAUSE_SECONDS)
        raise CannotGoOn("the cache could not be switched: its freeze ran out at every attempt")


class _Writer:
    """Implements `ShadowWriter`."""

    def __init__(self, products: CachedProducts) -> None:
        self._products = products
        self.failures: dict[UUID, Failed] = {}

    async def held(self, product_ids: Collection[UUID]) -> Mapping[UUID, Held[ProductDocument]]:
        return await self._products.held(product_ids) if product_ids else {}

    async def save(self, changes: Sequence[Change[ProductDocument]]) -> None:
        await self._products.save(changes)

    async def fail(self, failures: Mapping[UUID, Failed]) -> None:
        self.failures.update(failures)


def _packed(keys: KeyGroups, changes: Iterable[Change[ProductDocument]]) -> Iterator[tuple[str, bytes]]:
    for change in changes:
        body = None if change.after is None else encode_document(change.after)
        ((group, ids),) = keys.split([change.product_id])
        yield group.of(ids)[0], pack(change.stream_version, body)
